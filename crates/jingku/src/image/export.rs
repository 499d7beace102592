//! `jingku image export`.

use std::path::Path;

use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use jingku_service::{DiskError, DiskFormat, Qcow2Writer};
use serde_json::json;

use super::sparse_file::SparseFile;
use crate::args::{ExportArgs, Global};
use crate::connection;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::{print, print_json};
use crate::translate;

/// What the stream is written to.
enum Sink {
    Raw(SparseFile),
    Qcow2 { writer: Qcow2Writer, at: u64 },
}

impl Sink {
    fn create(path: &Path, format: DiskFormat, length: u64) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            let message = tr(
                format!("{} exists already. Choose another file.", path.display()),
                format!("{} 已存在。请换一个文件。", path.display()),
            );
            return Err(Failure::new(Exit::Refused, message));
        }
        match format {
            DiskFormat::Raw => {
                SparseFile::create(path).map(Self::Raw).map_err(|error| Failure::file(path, &error))
            }
            DiskFormat::Qcow2 => Ok(Self::Qcow2 {
                writer: Qcow2Writer::create(path, length).map_err(|error| disk(&error))?,
                at: 0,
            }),
        }
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Raw(file) => file.append(bytes).map_err(|error| Failure::file(path, &error)),
            Self::Qcow2 { writer, at } => {
                if bytes.iter().any(|byte| *byte != 0) {
                    writer.write_at(*at, bytes).map_err(|error| disk(&error))?;
                }
                *at += bytes.len() as u64;
                Ok(())
            }
        }
    }

    fn finish(self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::Raw(file) => file.finish().map_err(|error| Failure::file(path, &error)),
            Self::Qcow2 { writer, .. } => writer.finish().map_err(|error| disk(&error)),
        }
    }
}

fn disk(error: &DiskError) -> Failure {
    Failure::new(Exit::Fault, tr(error.to_string(), translate::disk_error(error)))
}

pub(super) async fn run(global: &Global, args: ExportArgs) -> Result<(), Failure> {
    let client = connection::client(global, args.one.connection)?;
    let (length, mut bytes) = client.export(&args.one.image_id).await?;
    let length = length.ok_or_else(|| {
        let message = tr("The server does not tell the size of the image.", "服务端没有给出镜像大小。");
        Failure::new(Exit::Fault, message)
    })?;
    let mut sink = Sink::create(&args.output, args.format, length)?;
    let style =
        ProgressStyle::with_template("{bar:32} {percent:>3}%  {decimal_bytes_per_sec}  {eta_precise}");
    let bar = ProgressBar::new(length).with_style(style.expect("the template is right"));
    let mut received = 0;
    while let Some(piece) = bytes.try_next().await? {
        // Writing blocks, and this process has nothing else to do meanwhile.
        sink.append(&args.output, &piece)?;
        received += piece.len() as u64;
        bar.set_position(received);
    }
    if received != length {
        return Err(broken_off(received, length));
    }
    sink.finish(&args.output)?;
    bar.finish_and_clear();
    let file = args.output.display().to_string();
    if global.json {
        return print_json(&json!({ "File": file, "Format": args.format.to_string(), "Bytes": length }));
    }
    print(&tr(format!("Wrote {file}"), format!("已写入 {file}")))
}

fn broken_off(received: u64, length: u64) -> Failure {
    let message = tr(
        format!(
            "The stream broke off after {received} of {length} bytes; nothing was written. The server's log says why."
        ),
        format!("数据在 {length} 字节中的第 {received} 字节处中断，没有写入文件。原因见服务端日志。"),
    );
    Failure::new(Exit::Fault, message)
}
