//! `jingku sweep`: removes what no image needs, with or without a server running on the data folder.

use jingku_library::SweepError;
use serde_json::json;

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::operate::{done, open};
use crate::output::bytes;
use crate::translate::{clause, root};

pub(crate) async fn run(global: &Global, dry_run: bool) -> Result<(), Failure> {
    let context = open(global).await?;
    let swept = context.sweep(dry_run, |_, _| true).await?;
    let files = swept.chunks + swept.manifests;
    let value = json!({ "Files": files, "Chunks": swept.chunks, "Manifests": swept.manifests, "Bytes": swept.bytes,
                        "ChunksSeen": swept.chunks_seen, "DryRun": dry_run });
    let size = bytes(swept.bytes);
    let text = if dry_run {
        tr(
            format!("{files} files of {size} would be removed."),
            format!("将删除 {files} 个文件，共 {size}。"),
        )
    } else {
        tr(format!("{files} files of {size} removed."), format!("已删除 {files} 个文件，共 {size}。"))
    };
    done(global, &value, &text)
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let zh = match &error {
            SweepError::DamagedCatalog(problems) => format!(
                "目录数据库已损坏，无法确定有哪些镜像，没有删除任何内容：{}。请运行 `jingku check`，并用备份恢复。",
                problems.join("；")
            ),
            SweepError::NoManifest(text) => format!(
                "有镜像引用了 {text:?}，它不是清单名，无法确定该镜像需要哪些分块，没有再删除任何内容。请运行 `jingku check` 查看是哪个镜像。"
            ),
            SweepError::BadManifest(error) => format!(
                "有镜像的清单无法读取：{error}。无法确定该镜像需要哪些分块，没有再删除任何内容。请运行 `jingku check` \
                 查看是哪个镜像，然后从实例重新制作，或将其彻底清除。"
            ),
            SweepError::Store(error) => format!("分块存储出错：{}。", clause(error)),
            SweepError::Catalog(error) => format!("目录数据库出错：{}。", root(error)),
            SweepError::Task(error) => format!("任务异常终止：{}。", clause(error)),
        };
        Self::new(Exit::Fault, tr(error.to_string(), zh))
    }
}
