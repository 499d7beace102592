//! The way back out: an image as the stream of bytes it was made of.

use axum::body::Body;
use bytes::Bytes;
use jingku_chunks::{ManifestId, Piece, Pieces, Store};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::error::Internal;

/// Pieces read ahead of the network; each is at most a chunk.
const AHEAD: usize = 8;
/// Zeros are sent from one block of this many bytes.
static ZEROS: [u8; 256 << 10] = [0; 256 << 10];

/// A disk on its way out.
pub(crate) struct DiskStream {
    /// Bytes, holes included.
    pub(crate) length: u64,
    /// The bytes. Every chunk is checked as it is read; a damaged one breaks the stream off.
    pub(crate) body: Body,
}

/// Opens an image's disk as a raw stream, which holds `permit` to its end.
pub(crate) async fn open(
    store: Store,
    image_id: String,
    manifest: String,
    permit: OwnedSemaphorePermit,
) -> Result<DiskStream, Internal> {
    let bad_name = || Internal::BadRow(format!("image {image_id}: manifest {manifest}"));
    let manifest: ManifestId = manifest.parse().map_err(|_| bad_name())?;
    let opened = tokio::task::spawn_blocking(move || {
        let manifest = store.open_manifest(manifest)?;
        let length = manifest.logical_size();
        Ok::<_, jingku_chunks::Error>((length, store.read(&manifest)?))
    });
    let (length, pieces) = opened.await??;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        send(pieces, &image_id, &sender);
        drop(permit);
    });
    let stream =
        futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    Ok(DiskStream { length, body: Body::from_stream(stream) })
}

/// Sends until the end, an error, or a client that has gone.
fn send(pieces: Pieces, image_id: &str, sender: &mpsc::Sender<Result<Bytes, jingku_chunks::Error>>) {
    for piece in pieces {
        let sent = match piece {
            Ok(Piece::Data(bytes)) => sender.blocking_send(Ok(bytes.into())),
            Ok(Piece::Zero(length)) => send_zeros(length, sender),
            Err(error) => {
                tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot read image");
                sender.blocking_send(Err(error))
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

type Sent = Result<(), mpsc::error::SendError<Result<Bytes, jingku_chunks::Error>>>;

fn send_zeros(mut length: u64, sender: &mpsc::Sender<Result<Bytes, jingku_chunks::Error>>) -> Sent {
    while length > 0 {
        let block = usize::try_from(length).unwrap_or(usize::MAX).min(ZEROS.len());
        sender.blocking_send(Ok(Bytes::from_static(&ZEROS[..block])))?;
        length -= block as u64;
    }
    Ok(())
}
