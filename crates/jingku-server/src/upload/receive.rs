//! Writes the bytes of one request to the file.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use jingku_catalog::{OverLimit, Receive, Received, Upload};
use jingku_library::{Internal, UploadFile, failpoint};
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

/// Why receiving stopped.
enum Stop {
    /// The image was deleted meanwhile.
    Gone,
    /// The data folder is full.
    Full {
        free_bytes: u64,
    },
    /// The account's files have reached their limit.
    OverLimit(OverLimit),
    /// They use up the account's share of the disk space.
    OverShare,
    Failed(Internal),
}

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
    let (received, stop) = writing.await?;
    match (outcome(context, upload, received, stop), refusal) {
        (Ok(_), Some(refusal)) => Err(refusal),
        (outcome, _) => outcome,
    }
}

/// Converts the reason to stop into the result.
fn outcome(context: &Context, upload: &Upload, received: u64, stop: Option<Stop>) -> Result<u64, Error> {
    match stop {
        None => Ok(received),
        Some(Stop::Gone) => {
            context.library.uploads.remove(&upload.image_id);
            Err(Error::ResourceNotFound(upload.image_id.clone()))
        }
        Some(Stop::Full { free_bytes }) => {
            // At least one byte more of a file of unknown size.
            let upload = Upload { received_bytes: to_i64(received), ..upload.clone() };
            let remaining = upload.remaining_bytes().and_then(|bytes| u64::try_from(bytes).ok());
            let (image_id, needed_bytes) = (&*upload.image_id, remaining.unwrap_or(1).max(1));
            tracing::warn!(image_id, needed_bytes, free_bytes, "no space for the rest of an upload");
            Err(Error::DataFolderFull { needed_bytes })
        }
        Some(Stop::OverLimit(over)) => Err(Error::OverLimit(over)),
        Some(Stop::OverShare) => Err(Error::OverUploadShare),
        Some(Stop::Failed(error)) => Err(error.into()),
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
        (file.received(), checkpoint(&shared, &of, &mut file))
    });
    let (received, stop) = appended.await?;
    outcome(context, upload, received, stop)
}

fn write(
    context: &Context,
    upload: &Upload,
    mut file: UploadFile,
    mut pieces: mpsc::Receiver<Bytes>,
) -> (u64, Option<Stop>) {
    let (mut durable, mut durable_at) = (file.received(), context.library.clock.now());
    let mut stop = None;
    while let Some(bytes) = pieces.blocking_recv() {
        match file.append(&bytes) {
            Ok(true) => {}
            Ok(false) => stop = Some(Stop::Full { free_bytes: file.free_bytes() }),
            Err(error) => stop = Some(Stop::Failed(Internal::UploadFile(error))),
        }
        let late = context.library.clock.now() >= durable_at + CHECKPOINT_SECS;
        if stop.is_none() && (late || file.received() >= durable + CHECKPOINT_BYTES) {
            stop = checkpoint(context, upload, &mut file);
            (durable, durable_at) = (file.received(), context.library.clock.now());
        }
        if stop.is_some() {
            break;
        }
    }
    // Unblocks the sender.
    drop(pieces);
    let received = file.received();
    if matches!(stop, None | Some(Stop::Full { .. }))
        && received > durable
        && let Some(error) = checkpoint(context, upload, &mut file)
    {
        return (received, Some(error));
    }
    (received, stop)
}

/// Makes the received bytes durable, then records them.
fn checkpoint(context: &Context, upload: &Upload, file: &mut UploadFile) -> Option<Stop> {
    let stored = match file.sync() {
        Ok(stored) => stored,
        Err(error) => return Some(Stop::Failed(Internal::UploadFile(error))),
    };
    let (bytes, state) = (file.received(), file.sparse_state());
    let received = Received {
        bytes: to_i64(bytes),
        // A file system counts whole blocks, which may exceed the length that the limit allows.
        stored_bytes: to_i64(stored.min(bytes)),
        sparse_state: state.as_deref(),
    };
    let recorded = async {
        let share = context.library.upload_share().await?;
        context.library.catalog.record_received(upload, received, share, context.library.clock.now()).await
    };
    match Handle::current().block_on(recorded) {
        Ok(Receive::Received) => {
            failpoint::reached("upload.written_down");
            None
        }
        Ok(Receive::Gone) => Some(Stop::Gone),
        Ok(Receive::OverLimit(over)) => Some(Stop::OverLimit(over)),
        Ok(Receive::OverShare) => Some(Stop::OverShare),
        Err(error) => Some(Stop::Failed(Internal::Catalog(error))),
    }
}

fn to_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
