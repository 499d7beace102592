//! The command line of `jingku image`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use compshare::actions::{MAX_LINK_SECS, is_blake3};
use jingku_library::DiskFormat;

use super::ConnectionArgs;
use super::operate::PlatformCommand;
use crate::image::list::ListArgs;
use crate::image::name;
use crate::lang::tr;

/// The commands about images: those that go through the API, and the operator's.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
pub(crate) enum AnyImageCommand {
    #[command(flatten)]
    Api(ImageCommand),
    #[command(flatten)]
    Platform(PlatformCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    #[command(about = tr("List the account's own images, newest first", "列出账号的自制镜像，新的在前"))]
    List(ListArgs),
    #[command(about = tr("Show one image", "查看一个镜像"))]
    Show(OneImage),
    #[command(about = tr("Make an image of an instance", "用实例制作镜像"))]
    Create(CreateArgs),
    #[command(about = tr("Show how far the making of an image is", "查看镜像制作进度"))]
    Progress {
        #[arg(long, help = tr("Follow until it is done", "一直等到完成"))]
        wait: bool,
        #[command(flatten)]
        one: OneImage,
    },
    #[command(about = tr("Change facts about an image", "修改镜像信息"))]
    Update(UpdateArgs),
    #[command(about = tr("Delete an image", "删除镜像"))]
    Delete(OneImage),
    #[command(about = tr("Write an image's disk to a file", "把镜像的磁盘导出为文件"))]
    Export(ExportArgs),
    #[command(about = tr("Make an image of a disk file: raw or qcow2, plain or in gzip or zstd", "把磁盘文件导入为镜像：raw 或 qcow2，可用 gzip 或 zstd 压缩"))]
    Import(ImportArgs),
    #[command(about = tr("Print a link that downloads an image without a key pair", "输出免密钥的镜像下载链接"))]
    Url(UrlArgs),
}

impl ImageCommand {
    /// Every one of them goes through the API.
    pub(crate) fn connection(&self) -> &ConnectionArgs {
        match self {
            Self::List(args) => &args.connection,
            Self::Show(one) | Self::Delete(one) | Self::Progress { one, .. } => &one.connection,
            Self::Create(args) => &args.connection,
            Self::Update(args) => &args.one.connection,
            Self::Export(args) => &args.one.connection,
            Self::Import(args) => &args.connection,
            Self::Url(args) => &args.one.connection,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OneImage {
    #[arg(help = tr("Its id, such as compshareImage-1minbz219ceq", "镜像 ID，如 compshareImage-1minbz219ceq"))]
    pub(crate) image_id: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[arg(long, value_name = "INSTANCE_ID", help = tr("The instance", "实例 ID"))]
    pub(crate) instance: String,
    #[arg(long, help = name::help(tr("The image's name, unique in the account", "镜像名称，账号内唯一")))]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT", help = tr("Free text", "描述"))]
    pub(crate) description: Option<String>,
    #[arg(long, help = tr("Follow until it is done", "一直等到完成"))]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[arg(long, help = name::help(tr("A new name", "新名称")))]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "TEXT", help = tr("Free text; empty clears", "描述；留空表示清除"))]
    pub(crate) description: Option<String>,
    #[arg(long, value_name = "TEXT", help = tr("Markdown; empty clears", "Markdown 说明；留空表示清除"))]
    pub(crate) readme: Option<String>,
    #[arg(long, value_name = "FILE", help = tr("A picture; empty clears", "封面图片；留空表示清除"))]
    pub(crate) cover: Option<OsString>,
    #[arg(long = "tag", value_name = "TAG", help = tr("A tag; repeat for up to three; empty clears", "标签，可重复，最多三个；留空表示清除"))]
    pub(crate) tags: Vec<String>,
    #[arg(long, value_name = "private|public", hide_possible_values = true, help = tr("Who sees it", "可见范围"))]
    pub(crate) visibility: Option<Visibility>,
    #[arg(long, value_name = "true|false", hide_possible_values = true, help = tr("Whether its software starts by itself", "软件是否自动启动"))]
    pub(crate) auto_start: Option<bool>,
    #[arg(long = "gpu-type", value_name = "MODEL", help = tr("A GPU model it is meant for; repeatable; empty clears", "适用的 GPU 型号，可重复；留空表示清除"))]
    pub(crate) gpu_types: Vec<String>,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Visibility {
    Private,
    Public,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[arg(long, value_name = "raw|qcow2", default_value = "raw", hide_default_value = true, help = tr("What to write [default: raw]", "导出格式 [默认：raw]"))]
    pub(crate) format: DiskFormat,
    #[arg(short, long, value_name = "FILE", help = tr("The file, which must not exist; - for standard output", "导出到的文件，不能已存在；- 表示标准输出"))]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[arg(value_name = "FILE", required_unless_present = "producer", conflicts_with = "producer", help = tr("The file; - for standard input. Run again, it resumes", "磁盘文件；- 表示标准输入。中断后再次运行即可续传"))]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, value_name = "raw|qcow2", help = tr("What the disk is, whatever it looks like [default: the content decides]", "磁盘的格式，不再检查内容 [默认：由内容决定]"))]
    pub(crate) format: Option<DiskFormat>,
    #[arg(long, help = name::help(tr("The image's name, unique in the account", "镜像名称，账号内唯一")))]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT", help = tr("Free text", "描述"))]
    pub(crate) description: Option<String>,
    #[arg(long, help = tr("Follow until it is done", "一直等到完成"))]
    pub(crate) wait: bool,
    #[arg(long, value_name = "BYTES", value_parser = bytes, help = tr("How many bytes must arrive, such as 21474836480 or 20G", "必须收到的字节数，如 21474836480 或 20G"))]
    pub(crate) size: Option<u64>,
    #[arg(long, value_name = "HEX", value_parser = blake3, help = tr("BLAKE3 of what must arrive, as b3sum prints it", "必须收到的内容的 BLAKE3 值，即 b3sum 的输出"))]
    pub(crate) blake3: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[arg(last = true, id = "producer", value_name = "COMMAND", help = tr("Import what a command writes. Nothing becomes an image unless it ends with 0", "导入命令的输出；命令返回 0 才会生成镜像"))]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1h", hide_default_value = true, help = tr("How long it is good for: 90s, 10m, 2h [default: 1h]", "有效期，如 90s、10m、2h [默认：1h]"))]
    pub(crate) expires: i64,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

/// A number of bytes, as people write it.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let number = text.strip_suffix("iB").or_else(|| text.strip_suffix('B')).unwrap_or(text);
    let unit = units.iter().find_map(|(unit, bits)| Some((number.strip_suffix(unit)?, *bits)));
    let (number, bits) = unit.unwrap_or((number, 0));
    let count = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits));
    count.filter(|count| (1..=i64::MAX.cast_unsigned()).contains(count)).ok_or_else(|| {
        tr(
            "write it like 1048576, 512M or 20G; K, M, G and T are powers of 1024",
            "请写成 1048576、512M 或 20G 的形式；K、M、G、T 以 1024 为进制",
        )
        .to_owned()
    })
}

/// A hash in hexadecimal.
fn blake3(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if is_blake3(&text) {
        return Ok(text);
    }
    Err(tr("write 64 hexadecimal digits", "请写 64 位十六进制数").to_owned())
}

/// The life of a link, as people write it.
fn seconds(text: &str) -> Result<i64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let units = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let secs = units.and_then(|(number, secs)| number.parse::<i64>().ok()?.checked_mul(secs));
    secs.filter(|secs| (1..=MAX_LINK_SECS).contains(secs)).ok_or_else(|| {
        tr("write it like 90s, 10m or 2h; 24h at most", "请写成 90s、10m 或 2h 的形式，最长 24h").to_owned()
    })
}
