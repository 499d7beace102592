//! `jingku image import`.

use std::path::Path;

use compshare::Upload;
use compshare::actions::ImportCompShareCustomImageRequest;
use indicatif::ProgressBar;
use tokio::sync::{mpsc, oneshot};

use super::follow::{self, bar, were_there};
use super::look;
use super::source::{Piece, STDIN, Source, empty};
use crate::args::{Global, ImportArgs};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::warn;
use crate::translate;

pub(super) async fn run(global: &Global, connection: &Connection, args: ImportArgs) -> Result<(), Failure> {
    let (source, size) = Source::open(&args.file)?;
    // Who waits is told at the end, by the server.
    if let Some(caution) = look::at_file(&args.file, args.format)?.filter(|_| !args.wait) {
        warn(&translate::caution(&caution));
    }
    let request = ImportCompShareCustomImageRequest {
        format: args.format.map(look::on_the_wire),
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
    follow::begun(global, connection, &image_id, args.wait).await
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
    let path = source.path().to_owned();
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
        match piece {
            Piece::Data(bytes) => upload.send(bytes, show).await?,
            Piece::Zeros(count) => {
                upload.send_zeros(count).await?;
                show(upload.received());
            }
        }
    }
    let source = reading.await?;
    if source.at() == 0 {
        return Err(empty(&path));
    }
    if size.is_some_and(|size| size != source.at()) || upload.received() != source.at() {
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
    let (blake3, shown, path) = (upload.received_blake3().to_owned(), bar.clone(), source.path().to_owned());
    let skipping = on_a_thread(move || {
        let same = source.skip(there, &blake3, |at| shown.set_position(at))?;
        Ok((source, same))
    });
    let (source, same) = skipping.await?;
    if !same {
        return Err(another(&path, upload.image_id()));
    }
    bar.reset_eta();
    bar.set_message(were_there(there));
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

/// Reads to the end, a piece ahead of the network.
fn read(mut source: Source, sender: &mpsc::Sender<Piece>) -> Result<Source, Failure> {
    while let Some(piece) = source.next()? {
        if sender.blocking_send(piece).is_err() {
            break;
        }
    }
    Ok(source)
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
