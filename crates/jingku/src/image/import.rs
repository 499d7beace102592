//! `jingku image import`.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use blake3::Hasher;
use bytes::Bytes;
use compshare::Upload;
use compshare::actions::ImportCompShareCustomImageRequest;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::follow::{self, bar};
use crate::args::{Global, ImportArgs};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::{bytes, note, print, print_json};

/// What the command line calls standard input.
const STDIN: &str = "-";
/// Bytes that are sent at once and that the server then has for certain. One such piece is read while another is sent.
const SEGMENT_BYTES: usize = 64 << 20;
/// Bytes that are read and hashed at once.
const READ_BYTES: usize = 1 << 20;

/// A file that is read from its start to its end, and the hash of what was read.
struct Source {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    hasher: Hasher,
    at: u64,
}

impl Source {
    /// Opens the file and tells its size, if it has one yet.
    fn open(path: &Path) -> Result<(Self, Option<u64>), Failure> {
        let failed = |error: io::Error| Failure::file(Exit::NotThere, path, &error);
        let (reader, size): (Box<dyn Read + Send>, _) = if path == Path::new(STDIN) {
            if io::stdin().is_terminal() {
                let message = tr(
                    "A disk does not come from a terminal: lead a program or a file to it.",
                    "磁盘内容不能从终端输入：请用管道或重定向。",
                );
                return Err(Failure::new(Exit::Usage, message));
            }
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if metadata.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            let size = metadata.is_file().then_some(metadata.len());
            (Box::new(file), size)
        };
        if size == Some(0) {
            return Err(empty(path));
        }
        Ok((Self { path: path.to_owned(), reader, hasher: Hasher::new(), at: 0 }, size))
    }

    /// Reads up to `length` bytes; fewer only at the end.
    fn read(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        let mut piece = Vec::with_capacity(length);
        while piece.len() < length {
            let from = piece.len();
            let limit = READ_BYTES.min(length - from) as u64;
            let read = self.reader.by_ref().take(limit).read_to_end(&mut piece);
            let read = read.map_err(|error| Failure::file(Exit::Fault, &self.path, &error))?;
            self.hasher.update(&piece[from..]);
            self.at += read as u64;
            if (read as u64) < limit {
                break;
            }
        }
        Ok(piece)
    }

    /// Reads what the server has already. Tells whether it is the same.
    fn skip(&mut self, length: u64, blake3: &str, bar: &ProgressBar) -> Result<bool, Failure> {
        while self.at < length {
            let piece = usize::try_from(length - self.at).unwrap_or(READ_BYTES).min(READ_BYTES);
            if self.read(piece)?.is_empty() {
                return Ok(false);
            }
            bar.set_position(self.at);
        }
        Ok(self.hash() == blake3)
    }

    fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

pub(super) async fn run(global: &Global, connection: &Connection, args: ImportArgs) -> Result<(), Failure> {
    let (source, size) = Source::open(&args.file)?;
    let request = ImportCompShareCustomImageRequest {
        name: args.name.clone(),
        description: args.description.clone(),
        size_bytes: size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)),
        ..ImportCompShareCustomImageRequest::default()
    };
    let sent = tokio::select! {
        sent = send(connection, &request, source, size) => sent,
        _ = tokio::signal::ctrl_c() => return Err(interrupted(&args.file)),
    };
    let image_id = sent?;
    if args.wait {
        return follow::until_made(global, connection, &image_id).await;
    }
    if global.json {
        return print_json(&json!({ "CompShareImageId": image_id }));
    }
    // The id alone on standard output: `id=$(jingku image import …)`.
    print(&image_id)?;
    let follow = connection.command(global, &["image", "progress", &image_id, "--wait"]);
    note(&tr(format!("It is being made. Follow it with: {follow}"), format!("正在制作。查看进度：{follow}")));
    Ok(())
}

/// Brings the file to the server, and tells the id of the image that is made of it.
async fn send(
    connection: &Connection,
    request: &ImportCompShareCustomImageRequest,
    source: Source,
    size: Option<u64>,
) -> Result<String, Failure> {
    let mut upload = connection.client.start_import(request).await?;
    let bar = bar(size.unwrap_or(0));
    let path = source.path.clone();
    let source = go_on(&upload, source, &bar).await?;
    let (sender, mut pieces) = mpsc::channel(1);
    let reading = on_a_thread(move || read(source, &sender));
    while let Some(piece) = pieces.recv().await {
        let (showing, known) = (bar.clone(), size.is_some());
        let show = move |sent| {
            if !known {
                showing.set_length(sent);
            }
            showing.set_position(sent);
        };
        upload.send(piece, show).await?;
    }
    let source = reading.await?;
    if source.at == 0 {
        return Err(empty(&path));
    }
    if size.is_some_and(|size| size != source.at) || upload.received() != source.at {
        return Err(changed(&path));
    }
    upload.finish(&source.hash()).await?;
    bar.finish_and_clear();
    Ok(upload.image_id().to_owned())
}

/// Passes over what the server has, which must be the start of the file.
async fn go_on(upload: &Upload, mut source: Source, bar: &ProgressBar) -> Result<Source, Failure> {
    let there = upload.received();
    if there == 0 {
        return Ok(source);
    }
    let (blake3, shown, path) = (upload.received_blake3().to_owned(), bar.clone(), source.path.clone());
    let skipping = on_a_thread(move || {
        let same = source.skip(there, &blake3, &shown)?;
        Ok((source, same))
    });
    let (source, same) = skipping.await?;
    if !same {
        return Err(another(&path, upload.image_id()));
    }
    bar.reset_eta();
    bar.set_message(tr(format!("{} were there", bytes(there)), format!("已有 {}", bytes(there))));
    Ok(source)
}

/// Reads on a thread that nobody waits for when the command ends: standard input may be silent for ever.
fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> impl Future<Output = Result<T, Failure>> {
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || done.send(work()));
    async { result.await.unwrap_or_else(|error| Err(Failure::new(Exit::Fault, error.to_string()))) }
}

/// Reads to the end, a segment ahead of the network.
fn read(mut source: Source, sender: &mpsc::Sender<Bytes>) -> Result<Source, Failure> {
    loop {
        let piece = source.read(SEGMENT_BYTES)?;
        let last = piece.len() < SEGMENT_BYTES;
        if piece.is_empty() || sender.blocking_send(piece.into()).is_err() || last {
            return Ok(source);
        }
    }
}

fn empty(path: &Path) -> Failure {
    let file = path.display();
    let message =
        tr(format!("{file} is empty: no image can be made of it."), format!("{file} 是空的，无法制作镜像。"));
    Failure::new(Exit::Refused, message)
}

fn changed(path: &Path) -> Failure {
    let file = path.display();
    let message = tr(
        format!(
            "{file} changed while it was read. Stop what writes to it, delete the image and import it again."
        ),
        format!("{file} 在读取过程中发生了变化。请停止写入，删除该镜像后重新导入。"),
    );
    Failure::new(Exit::Refused, message)
}

fn another(path: &Path, image_id: &str) -> Failure {
    let file = path.display();
    let message = tr(
        format!(
            "Another file than {file} is being imported under this name. Choose another name, or delete image \
             {image_id} first."
        ),
        format!("正以该名称导入另一个文件，而不是 {file}。请换一个名称，或先删除镜像 {image_id}。"),
    );
    Failure::new(Exit::Refused, message)
}

fn interrupted(path: &Path) -> Failure {
    let message = if path == Path::new(STDIN) {
        tr(
            "Stopped. The same input under the same name goes on where it was, for 24 hours.",
            "已停止。24 小时内用同样的输入和名称再次运行即可续传。",
        )
    } else {
        tr(
            "Stopped. The same command goes on where it was, for 24 hours.",
            "已停止。24 小时内再次运行同一命令即可续传。",
        )
    };
    Failure::new(Exit::Interrupted, message)
}
