//! `jingku image export`.

use std::path::Path;

use compshare::Client;
use futures::TryStreamExt;
use jingku_service::{DiskFormat, Qcow2Writer};
use serde_json::json;

use super::follow::bar;
use super::sparse_file::SparseFile;
use crate::args::{ExportArgs, Global};
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::{print, print_json};

/// What the stream is written to.
enum Sink {
    Raw(SparseFile),
    Qcow2 { writer: Qcow2Writer, at: u64 },
}

impl Sink {
    fn create(path: &Path, format: DiskFormat, length: u64) -> Result<Self, Failure> {
        match format {
            DiskFormat::Raw => SparseFile::create(path)
                .map(Self::Raw)
                .map_err(|error| Failure::file(Exit::Fault, path, &error)),
            DiskFormat::Qcow2 => Ok(Self::Qcow2 { writer: Qcow2Writer::create(path, length)?, at: 0 }),
        }
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Raw(file) => file.append(bytes).map_err(|error| Failure::file(Exit::Fault, path, &error)),
            Self::Qcow2 { writer, at } => {
                if bytes.iter().any(|byte| *byte != 0) {
                    writer.write_at(*at, bytes)?;
                }
                *at += bytes.len() as u64;
                Ok(())
            }
        }
    }

    fn finish(self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::Raw(file) => file.finish().map_err(|error| Failure::file(Exit::Fault, path, &error)),
            Self::Qcow2 { writer, .. } => Ok(writer.finish()?),
        }
    }
}

pub(super) async fn run(global: &Global, client: &Client, args: ExportArgs) -> Result<(), Failure> {
    if args.output.symlink_metadata().is_ok() {
        let file = args.output.display();
        let message = tr(
            format!("{file} exists already. Choose another file."),
            format!("{file} 已存在。请换一个文件。"),
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    // What is written so far goes away with the future that writes it.
    let length = tokio::select! {
        written = write(client, &args) => written?,
        _ = tokio::signal::ctrl_c() => {
            let message = tr("Stopped; nothing was written.", "已停止，没有写入文件。");
            return Err(Failure::new(Exit::Interrupted, message));
        }
    };
    let file = args.output.display().to_string();
    if global.json {
        return print_json(&json!({ "File": file, "Format": args.format.to_string(), "Bytes": length }));
    }
    print(&tr(format!("Wrote {file}"), format!("已写入 {file}")))
}

/// Writes the file and returns the length of the disk in bytes.
async fn write(client: &Client, args: &ExportArgs) -> Result<u64, Failure> {
    let (length, mut bytes) = client.export(&args.one.image_id).await?;
    let length = length.ok_or_else(|| {
        let message = tr("The server does not tell the size of the image.", "服务端没有给出镜像大小。");
        Failure::new(Exit::Fault, message)
    })?;
    let mut sink = Sink::create(&args.output, args.format, length)?;
    let bar = bar(length);
    let mut received = 0;
    while let Some(piece) = bytes.try_next().await.map_err(|_| broken_off(received, length))? {
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
    Ok(length)
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
