//! The way back out: an image as the stream of bytes it was made of, or a part of it.

use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use jingku_chunks::{Extent, Hold, Manifest, ManifestId, Piece, Store};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::error::Internal;

/// Pieces read ahead of the network; each is at most a chunk.
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
    _hold: Option<Hold>,
}

/// Opens an image's disk.
pub(crate) async fn open(store: Store, image_id: String, manifest: &str) -> Result<Disk, Internal> {
    let bad_name = || Internal::BadRow(format!("image {image_id}: manifest {manifest}"));
    let id: ManifestId = manifest.parse().map_err(|_| bad_name())?;
    let opened = tokio::task::spawn_blocking(move || {
        let hold = store.hold(&[id]).ok();
        let manifest = store.open_manifest(id)?;
        Ok::<_, jingku_chunks::Error>(Disk { store, manifest, image_id, _hold: hold })
    });
    Ok(opened.await??)
}

impl Disk {
    /// Bytes, holes included.
    pub(crate) fn length(&self) -> u64 {
        self.manifest.logical_size()
    }

    /// Streams a part of the disk, which lies within its length, holes as zeros. The stream holds `permit` to its end.
    ///
    /// Every chunk is checked as it is read; a damaged one breaks the stream off. Memory holds a bounded number of
    /// chunks.
    pub(crate) fn read(self, range: Range<u64>, permit: OwnedSemaphorePermit) -> Body {
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(Stop::Damaged(error)) = self.send(range, &sender) {
                let image_id = &self.image_id;
                tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot read image");
                // Whoever reads may have gone meanwhile.
                let _ = sender.blocking_send(Err(error));
            }
            drop(permit);
        });
        let stream =
            futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        Body::from_stream(stream)
    }

    /// Sends until the end, an error, or a client that has gone.
    fn send(&self, range: Range<u64>, sender: &Sender) -> Result<(), Stop> {
        if range == (0..self.length()) {
            // On several cores.
            for piece in self.store.read(&self.manifest)? {
                match piece? {
                    Piece::Data(bytes) => send_bytes(bytes.into(), sender)?,
                    Piece::Zero(length) => send_zeros(length, sender)?,
                }
            }
            return Ok(());
        }
        let mut start = 0;
        for extent in self.manifest.extents()? {
            let extent = extent?;
            let (Extent::Zero { len } | Extent::Chunk { len, .. }) = extent;
            let wanted = range.start.max(start)..range.end.min(start + len);
            if !wanted.is_empty() {
                match extent {
                    Extent::Zero { .. } => send_zeros(wanted.end - wanted.start, sender)?,
                    Extent::Chunk { id, .. } => {
                        let bytes = Bytes::from(self.store.read_chunk(id)?);
                        let within = |at: u64| usize::try_from(at - start).expect("a chunk fits in memory");
                        send_bytes(bytes.slice(within(wanted.start)..within(wanted.end)), sender)?;
                    }
                }
            }
            start += len;
            if start >= range.end {
                break;
            }
        }
        Ok(())
    }
}

type Sender = mpsc::Sender<Result<Bytes, jingku_chunks::Error>>;

/// Why not everything was sent.
enum Stop {
    /// Nobody reads any more.
    Gone,
    /// The store does not have what it should.
    Damaged(jingku_chunks::Error),
}

impl From<jingku_chunks::Error> for Stop {
    fn from(error: jingku_chunks::Error) -> Self {
        Self::Damaged(error)
    }
}

fn send_bytes(bytes: Bytes, sender: &Sender) -> Result<(), Stop> {
    sender.blocking_send(Ok(bytes)).map_err(|_| Stop::Gone)
}

fn send_zeros(mut length: u64, sender: &Sender) -> Result<(), Stop> {
    while length > 0 {
        let block = usize::try_from(length).unwrap_or(usize::MAX).min(ZEROS.len());
        send_bytes(Bytes::from_static(&ZEROS[..block]), sender)?;
        length -= block as u64;
    }
    Ok(())
}
