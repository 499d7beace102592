//! `jingku image export`.

use std::fs::File;
use std::io::{self, IsTerminal, Stdout, Write};
use std::path::Path;

use futures::TryStreamExt;
use jingku_library::{Frame, Qcow2Writer};
use serde_json::json;

use super::archive;
use super::follow::bar;
use super::show;
use super::sparse_file::SparseFile;
use crate::args::{ExportArgs, ExportFormat};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::done;

enum Sink {
    Raw(SparseFile),
    Qcow2 {
        writer: Qcow2Writer,
        at: u64,
    },
    /// Standard output, which takes the raw disk as a stream.
    Stdout(Stdout),
}

enum ExportError {
    /// The reader of standard output is gone, as in `… | head -c 512`: not a failure.
    ReaderGone,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for ExportError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

const STDOUT: &str = "-";

impl Sink {
    fn create(path: &Path, format: ExportFormat, length: u64) -> Result<Self, Failure> {
        match format {
            _ if path == Path::new(STDOUT) => Ok(Self::Stdout(io::stdout())),
            ExportFormat::Raw | ExportFormat::Oci | ExportFormat::DockerArchive => {
                Ok(Self::Raw(SparseFile::create(path).map_err(Failure::file(Exit::Fault, path))?))
            }
            ExportFormat::Qcow2 => Ok(Self::Qcow2 { writer: Qcow2Writer::create(path, length)?, at: 0 }),
        }
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
        match self {
            Self::Raw(file) => file.append(bytes).map_err(Failure::file(Exit::Fault, path))?,
            Self::Stdout(stdout) => stdout.write_all(bytes).map_err(stdout_error)?,
            Self::Qcow2 { writer, at } => {
                if bytes.iter().any(|byte| *byte != 0) {
                    writer.write_at(*at, bytes)?;
                }
                *at += bytes.len() as u64;
            }
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<(), ExportError> {
        match self {
            Self::Raw(file) => file.finish().map_err(Failure::file(Exit::Fault, path))?,
            Self::Stdout(mut stdout) => stdout.flush().map_err(stdout_error)?,
            Self::Qcow2 { writer, .. } => writer.finish()?,
        }
        Ok(())
    }
}

fn stdout_error(error: io::Error) -> ExportError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ExportError::ReaderGone,
        _ => ExportError::Failed(Failure::file(Exit::Fault, Path::new(STDOUT))(error)),
    }
}

pub(super) async fn run(connection: &Connection<'_>, args: ExportArgs) -> Result<(), Failure> {
    let to_stdout = args.output == Path::new(STDOUT);
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::new(Exit::Usage, tr!("image-export-terminal")));
    }
    if !to_stdout && args.output.symlink_metadata().is_ok() {
        return Err(Failure::new(Exit::Refused, tr!("image-export-exists", path = args.output)));
    }
    // Dropping the future removes the unfinished file.
    let written = tokio::select! {
        written = write(connection, &args, to_stdout) => written,
        _ = tokio::signal::ctrl_c() => {
            return Err(Failure::new(Exit::Interrupted, tr!("image-export-stopped")));
        }
    };
    let length = match written {
        Ok(_) if to_stdout => return Ok(()),
        Ok(length) => length,
        Err(ExportError::ReaderGone) => return Ok(()),
        Err(ExportError::Failed(failure)) => return Err(failure),
    };
    let file = args.output.display().to_string();
    let value = json!({ "File": file, "Format": args.format.name(), "Bytes": length });
    done(connection.global, &value, &tr!("image-exported", path = file))
}

/// Writes the file and returns the length of the disk in bytes.
async fn write(connection: &Connection<'_>, args: &ExportArgs, to_stdout: bool) -> Result<u64, ExportError> {
    let frame = frame(connection, args).await?;
    if !to_stdout || args.format != ExportFormat::Qcow2 {
        return receive(connection, args, &frame, &args.output).await;
    }
    // The tables of qcow2 are written last but come first, so it cannot be streamed.
    let made = std::env::temp_dir().join(format!("jingku-export-{}.qcow2", std::process::id()));
    let length = receive(connection, args, &frame, &made).await?;
    let copied = File::open(&made).and_then(|mut file| {
        // The file disappears when its handle is closed.
        std::fs::remove_file(&made)?;
        Ok(io::copy(&mut file, &mut io::stdout().lock()))
    });
    copied.map_err(Failure::file(Exit::Fault, &made))?.map_err(stdout_error)?;
    Ok(length)
}

/// What an archive has around the layer; nothing for a disk.
async fn frame(connection: &Connection<'_>, args: &ExportArgs) -> Result<Frame, Failure> {
    if args.format == ExportFormat::Raw {
        return Ok(Frame::default());
    }
    let image = show::find(&connection.client, &args.one.image_id).await?;
    let is_archive = args.format != ExportFormat::Qcow2;
    match (image.repository.is_empty(), is_archive) {
        (true, true) => {
            Err(Failure::new(Exit::Refused, tr!("image-export-disk", id = image.comp_share_image_id)))
        }
        (false, false) => {
            Err(Failure::new(Exit::Refused, tr!("image-export-container", id = image.comp_share_image_id)))
        }
        (false, true) => archive::frame(connection, &image, args.format).await,
        (true, false) => Ok(Frame::default()),
    }
}

async fn receive(
    connection: &Connection<'_>,
    args: &ExportArgs,
    frame: &Frame,
    path: &Path,
) -> Result<u64, ExportError> {
    let (length, mut bytes) = connection.client.export(&args.one.image_id).await?;
    let length = length.ok_or_else(|| Failure::new(Exit::Fault, tr!("image-export-no-size")))?;
    let mut sink = Sink::create(path, args.format, length)?;
    sink.append(path, &frame.before)?;
    let bar = bar(length);
    let mut received = 0;
    while let Some(piece) = bytes.try_next().await.map_err(|_| broken_off(received, length))? {
        // Writing blocks, but this process has nothing else to do.
        sink.append(path, &piece)?;
        received += piece.len() as u64;
        bar.set_position(received);
    }
    if received != length {
        return Err(broken_off(received, length).into());
    }
    sink.append(path, &frame.after)?;
    sink.finish(path)?;
    bar.finish_and_clear();
    Ok(frame.before.len() as u64 + length + frame.after.len() as u64)
}

fn broken_off(received: u64, length: u64) -> Failure {
    Failure::new(Exit::Fault, tr!("image-export-cut", received, length))
}
