//! The way back out: an image as the stream of bytes it was made of, or a part of it.

mod client_rate;
mod manifests;
mod slots;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use jingku_chunks::{GcGuard, Manifest, ManifestId, Piece, Pieces, Store};
use jingku_library::Internal;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

pub(crate) use client_rate::{ClientRate, TooSlow};
pub(crate) use manifests::OpenManifests;
pub(crate) use slots::{Slot, Slots};

/// Pieces read ahead of the network; each is at most a chunk. The store reads more ahead of them.
const AHEAD: usize = 8;
/// Zeros are sent from one block of this many bytes.
static ZEROS: [u8; 256 << 10] = [0; 256 << 10];

/// A disk that can be read: its manifest is whole.
pub(crate) struct Disk {
    store: Store,
    manifest: Manifest,
    image_id: String,
    /// Lets it be read to its end, also when the image goes for good meanwhile. Absent on a full disk, where that may
    /// break off.
    _hold: Option<GcGuard>,
}

/// Opens an image's disk.
pub(crate) async fn open(
    store: &Store,
    manifests: &Arc<OpenManifests>,
    image_id: String,
    manifest: &str,
) -> Result<Disk, Internal> {
    let bad_name = || Internal::BadRow(format!("image {image_id}: manifest {manifest}"));
    let id: ManifestId = manifest.parse().map_err(|_| bad_name())?;
    let (store, manifests) = (store.clone(), Arc::clone(manifests));
    let opened = tokio::task::spawn_blocking(move || {
        let hold = store.guard(&[id]).ok();
        let manifest = manifests.open(&store, id)?;
        Ok::<_, jingku_chunks::Error>(Disk { store, manifest, image_id, _hold: hold })
    });
    Ok(opened.await??)
}

impl Disk {
    /// Bytes, holes included.
    pub(crate) fn length(&self) -> u64 {
        self.manifest.logical_size()
    }

    /// Streams a part of the disk, which lies within its length, holes as zeros. The stream holds `slot` to its end, or
    /// until the client turns out to be too slow.
    ///
    /// Returns once the first bytes are read: what is damaged there is an error here. Every chunk is checked as it is
    /// read, and a damaged one further on breaks the stream off. Memory holds a bounded number of chunks.
    pub(crate) async fn read(self, part: Range<u64>, slot: Slot) -> Result<Body, Internal> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let left = part.end - part.start;
        let (begun, beginning) = oneshot::channel();
        let reading = tokio::task::spawn_blocking(move || {
            let first = self.store.read_range(&self.manifest, part).and_then(|mut pieces| {
                let first = pieces.next().transpose()?;
                Ok((first, pieces))
            });
            match first {
                Err(error) => drop(begun.send(Err(error))),
                Ok((first, pieces)) => {
                    // Fails when the client has gone, which is noticed below.
                    let _ = begun.send(Ok(()));
                    self.send(first, pieces, &mut Stream { sender, rate: ClientRate::start() });
                }
            }
            drop(slot);
        });
        match beginning.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error.into()),
            // It ended without a word.
            Err(_) => reading.await?,
        }
        Ok(body(receiver, left))
    }

    /// Sends until the end, an error, or a client that has gone or is too slow.
    fn send(&self, first: Option<Piece>, pieces: Pieces, stream: &mut Stream) {
        let image_id = &self.image_id;
        for piece in first.map(Ok).into_iter().chain(pieces) {
            let sent = match piece {
                Ok(Piece::Data(bytes)) => stream.send(bytes.into()),
                Ok(Piece::Zero(length)) => stream.send_zeros(length),
                Err(error) => {
                    tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot read image");
                    return;
                }
            };
            match sent {
                Ok(()) => {}
                Err(Stop::Gone) => return,
                Err(Stop::TooSlow) => {
                    tracing::info!(image_id, "a client was too slow to take an image");
                    return;
                }
            }
        }
    }
}

/// A body of that many bytes. It ends in an error, which closes the connection, when fewer come.
fn body(receiver: mpsc::Receiver<Bytes>, length: u64) -> Body {
    Body::from_stream(futures::stream::unfold(Some((receiver, length)), async |state| {
        let (mut receiver, left) = state?;
        match receiver.recv().await {
            Some(bytes) => {
                let left = left - bytes.len() as u64;
                Some((Ok(bytes), Some((receiver, left))))
            }
            None if left == 0 => None,
            None => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None)),
        }
    }))
}

/// The bytes on their way to the client.
struct Stream {
    sender: mpsc::Sender<Bytes>,
    rate: ClientRate,
}

/// Why no more is sent.
enum Stop {
    /// The client has gone.
    Gone,
    TooSlow,
}

impl Stream {
    fn send(&mut self, bytes: Bytes) -> Result<(), Stop> {
        let length = bytes.len() as u64;
        match self.sender.try_send(bytes) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => return Err(Stop::Gone),
            // Only here is the client waited for.
            Err(TrySendError::Full(bytes)) => {
                let sending = self.rate.wait(self.sender.send(bytes));
                let sent = Handle::current().block_on(sending).map_err(|TooSlow| Stop::TooSlow)?;
                sent.map_err(|_| Stop::Gone)?;
            }
        }
        self.rate.moved(length);
        Ok(())
    }

    fn send_zeros(&mut self, mut length: u64) -> Result<(), Stop> {
        while length > 0 {
            let block = usize::try_from(length).unwrap_or(usize::MAX).min(ZEROS.len());
            self.send(Bytes::from_static(&ZEROS[..block]))?;
            length -= block as u64;
        }
        Ok(())
    }
}
