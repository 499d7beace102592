//! Writes the bytes of one request to the file.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use jingku_catalog::{Receive, Received, Upload};
use jingku_library::{Internal, Library, UploadFile, failpoint};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::context::Context;
use crate::error::Error;
use crate::limits::UPLOAD_CHECKPOINT;
use crate::transfer::{ClientRate, TooSlow};

/// Pieces of the network stream read ahead of the disk.
const READ_AHEAD_PIECES: usize = 4;
/// Received bytes are made durable and recorded after this many, to survive a crash.
const CHECKPOINT_BYTES: u64 = 64 << 20;
#[expect(clippy::cast_possible_wrap, reason = "half a minute")]
const CHECKPOINT_SECS: i64 = UPLOAD_CHECKPOINT.as_secs() as i64;

/// Appends a body until its end, an error, or `size_max` bytes in the file. Returns the number of received bytes. They are
/// durable, also after an error.
pub(super) async fn body(
    context: &Arc<Context>,
    upload: &Upload,
    file: UploadFile,
    mut body: Body,
    size_max: u64,
) -> Result<u64, Error> {
    let (sender, pieces) = mpsc::channel(READ_AHEAD_PIECES);
    let mut left = size_max - file.received().min(size_max);
    let writing = {
        let (context, upload) = (Arc::clone(context), upload.clone());
        tokio::task::spawn_blocking(move || write(&context, &upload, file, pieces))
    };
    let (mut rate, mut refusal) = (ClientRate::start(), None);
    loop {
        let bytes = match rate.wait(body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(_))) | Err(TooSlow) => {
                refusal = Some(Error::BodyIncomplete);
                break;
            }
        };
        rate.moved(bytes.len() as u64);
        let fits = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        left -= fits as u64;
        let too_long = fits < bytes.len();
        // The writer returns its own reason to stop.
        let stopped = fits > 0 && sender.send(bytes.slice(..fits)).await.is_err();
        if too_long {
            let image_id = upload.image_id.clone();
            refusal = Some(Error::UploadTooLong { image_id, size_bytes: size_max });
        }
        if too_long || stopped {
            break;
        }
    }
    drop(sender);
    match (writing.await?, refusal) {
        (Ok(_), Some(refusal)) => Err(refusal),
        (written, _) => written,
    }
}

/// Appends zeros instead of a body.
pub(super) async fn zeros(
    context: &Arc<Context>,
    upload: &Upload,
    mut file: UploadFile,
    count: u64,
) -> Result<u64, Error> {
    let (shared, of) = (Arc::clone(context), upload.clone());
    let appended = tokio::task::spawn_blocking(move || {
        file.append_zeros(count);
        checkpoint(&shared, &of, &mut file).map(|()| file.received())
    });
    appended.await?
}

/// Returns the number of received bytes when no more pieces come.
fn write(
    context: &Context,
    upload: &Upload,
    mut file: UploadFile,
    mut pieces: mpsc::Receiver<Bytes>,
) -> Result<u64, Error> {
    let clock = &context.library.clock;
    let (mut durable, mut durable_at) = (file.received(), clock.now());
    let mut written = Ok(());
    while written.is_ok()
        && let Some(bytes) = pieces.blocking_recv()
    {
        written = match file.append(&bytes) {
            Ok(true) => Ok(()),
            Ok(false) => Err(full(upload, &file)),
            Err(error) => Err(Internal::UploadFile(error).into()),
        };
        let late = clock.now() >= durable_at + CHECKPOINT_SECS;
        if written.is_ok() && (late || file.received() >= durable + CHECKPOINT_BYTES) {
            written = checkpoint(context, upload, &mut file);
            (durable, durable_at) = (file.received(), clock.now());
        }
    }
    // Unblocks the sender.
    drop(pieces);
    if matches!(written, Ok(()) | Err(Error::DataFolderFull { .. })) && file.received() > durable {
        checkpoint(context, upload, &mut file)?;
    }
    written.map(|()| file.received())
}

fn full(upload: &Upload, file: &UploadFile) -> Error {
    // At least one byte more of a file of unknown size.
    let upload = Upload { received_bytes: to_i64(file.received()), ..upload.clone() };
    let remaining = upload.remaining_bytes().and_then(|bytes| u64::try_from(bytes).ok());
    let (image_id, needed_bytes) = (&*upload.image_id, remaining.unwrap_or(1).max(1));
    let free_bytes = file.free_bytes();
    tracing::warn!(image_id, needed_bytes, free_bytes, "no space for the rest of an upload");
    Error::DataFolderFull { needed_bytes }
}

/// Makes the received bytes durable, then records them.
fn checkpoint(context: &Context, upload: &Upload, file: &mut UploadFile) -> Result<(), Error> {
    let stored = file.sync().map_err(Internal::UploadFile)?;
    let (bytes, state) = (file.received(), file.sparse_state());
    let received = Received {
        bytes: to_i64(bytes),
        // A file system counts whole blocks, which may exceed the length that the limit allows.
        stored_bytes: to_i64(stored.min(bytes)),
        sparse_state: state.as_deref(),
    };
    let recorded = async {
        let Library { catalog, clock, .. } = &*context.library;
        let share = context.library.upload_share().await?;
        catalog.record_received(upload, received, share, clock.now()).await
    };
    match Handle::current().block_on(recorded)? {
        Receive::Received => {
            failpoint::reached("upload.written_down");
            Ok(())
        }
        Receive::Gone => Err(Error::ResourceNotFound(upload.image_id.clone())),
        Receive::OverLimit(over) => Err(Error::OverLimit(over)),
        Receive::OverShare => Err(Error::OverUploadShare),
    }
}

fn to_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
