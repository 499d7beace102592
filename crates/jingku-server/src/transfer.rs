//! Streams a disk, or a part of it, to a client.

mod client_rate;
pub(crate) mod manifests;
mod permit;
mod slots;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use jingku_chunks::{GcGuard, Manifest, ManifestId, Piece, Pieces, Store};
use jingku_library::{Internal, zeros};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

pub(crate) use client_rate::{ClientRate, TooSlow};
pub(crate) use manifests::ManifestCache;
pub(crate) use permit::Permit;
pub(crate) use slots::{Slot, Slots};

/// Pieces read ahead of the network, each at most a chunk. The store reads ahead too.
const READ_AHEAD_PIECES: usize = 8;

pub(crate) struct Disk {
    store: Store,
    manifest: Manifest,
    image_id: String,
    /// Keeps the chunks if the image is deleted permanently meanwhile. Absent if the file system is full.
    _guard: Option<GcGuard>,
}

pub(crate) async fn open(
    store: &Store,
    manifests: &Arc<ManifestCache>,
    image_id: String,
    manifest: &str,
) -> Result<Disk, Internal> {
    let bad_name = || Internal::BadRow(format!("image {image_id}: manifest {manifest}"));
    let id: ManifestId = manifest.parse().map_err(|_| bad_name())?;
    let (store, manifests) = (store.clone(), Arc::clone(manifests));
    let opened = tokio::task::spawn_blocking(move || {
        let guard = store.guard(&[id]).ok();
        let manifest = manifests.open(&store, id)?;
        Ok::<_, jingku_chunks::Error>(Disk { store, manifest, image_id, _guard: guard })
    });
    Ok(opened.await??)
}

impl Disk {
    /// In bytes, holes included.
    pub(crate) fn length(&self) -> u64 {
        self.manifest.logical_size()
    }

    /// Streams a part within the disk's length, holes as zeros. The stream holds `permit` until it ends or the client is too
    /// slow.
    ///
    /// Returns after the first read, and fails if that chunk is corrupted. Every chunk is verified; a corrupted one further
    /// on aborts the stream. Memory holds a bounded number of chunks.
    pub(crate) async fn read(self, part: Range<u64>, permit: Permit) -> Result<Body, Internal> {
        let (sender, receiver) = mpsc::channel(READ_AHEAD_PIECES);
        let left = part.end - part.start;
        let (started, start) = oneshot::channel();
        let reading = tokio::task::spawn_blocking(move || {
            let first = self.store.read_range(&self.manifest, part).and_then(|mut pieces| {
                let first = pieces.next().transpose()?;
                Ok((first, pieces))
            });
            match first {
                Err(error) => drop(started.send(Err(error))),
                Ok((first, pieces)) => {
                    // Fails if the client has gone; `send` notices that too.
                    let _ = started.send(Ok(()));
                    self.send(first, pieces, &mut Stream { sender, rate: ClientRate::start() });
                }
            }
            drop(permit);
        });
        match start.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error.into()),
            // The reader panicked.
            Err(_) => reading.await?,
        }
        Ok(body(receiver, left))
    }

    /// Sends until the end, an error, or a client that is gone or too slow.
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
            if let Err(stop) = sent {
                if let Stop::TooSlow = stop {
                    tracing::info!(image_id, "client too slow: transfer aborted");
                }
                return;
            }
        }
    }
}

/// A body of `length` bytes. It fails, which closes the connection, if fewer arrive.
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

struct Stream {
    sender: mpsc::Sender<Bytes>,
    rate: ClientRate,
}

enum Stop {
    Gone,
    TooSlow,
}

impl Stream {
    fn send(&mut self, bytes: Bytes) -> Result<(), Stop> {
        let length = bytes.len() as u64;
        match self.sender.try_send(bytes) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => return Err(Stop::Gone),
            // Only this wait counts as the client's.
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
            let piece = zeros(length);
            length -= piece.len() as u64;
            self.send(piece)?;
        }
        Ok(())
    }
}
