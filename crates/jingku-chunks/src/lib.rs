//! Deduplicated storage of disk images.
//!
//! A disk is cut into chunks at fixed offsets. A chunk is named by the hash of its bytes, compressed, and stored in a
//! [`Backend`] once. A manifest lists the chunks of one disk. A stream of unknown length is cut by content instead: see
//! [`Store::write_stream`]. `docs/format` specifies the stored bytes.
//!
//! ```
//! use jingku_chunks::{CHUNK_SIZE, Memory, Piece, Store};
//!
//! # fn main() -> jingku_chunks::Result<()> {
//! let store = Store::new(Memory::new());
//! let chunk = vec![7; CHUNK_SIZE as usize];
//!
//! let mut writer = store.writer(3 * CHUNK_SIZE)?;
//! writer.push(chunk.clone())?;
//! writer.zeros(2 * CHUNK_SIZE)?;
//! let sealed = writer.finish_chunks()?; // every chunk is durable
//! let written = sealed.write_manifest()?; // the manifest is durable
//!
//! let manifest = store.open_manifest(written.manifest)?;
//! let pieces: Vec<Piece> = store.read(&manifest)?.collect::<Result<_, _>>()?;
//! assert_eq!(pieces, [Piece::Data(chunk), Piece::Zero(2 * CHUNK_SIZE)]);
//! # Ok(())
//! # }
//! ```
//!
//! All calls block. Invariants:
//!
//! - A manifest gets its name only after every chunk it references is durable.
//! - Bytes are returned only after they were verified against their name.
//! - Memory is bounded by constants, whatever the size of the disk: see [`IN_FLIGHT_CHUNKS_MAX`].

mod backend;
mod bucket;
mod census;
mod check;
mod chunk_reader;
mod cut;
mod disk;
mod error;
mod format;
mod gc_guard;
mod id;
mod key;
mod known;
mod manifest;
mod memory;
mod pieces;
mod pipeline;
mod quarantine;
mod store;
mod sweep;
#[cfg(feature = "testing")]
mod testing;
mod writer;

pub use crate::backend::{
    Backend, Claim, ClaimTicket, ClaimWatch, Claims, DELETE_TIMEOUT, Existing, Head, Object, Outcome, Stage,
};
pub use crate::bucket::{BUCKET_REQUESTS_MAX, Bucket, BucketSettings, BucketUrl};
pub use crate::census::CENSUS_CHUNKS_MAX;
pub use crate::check::{
    CHECK_THREADS_MAX, CheckPlan, CheckProgress, CheckReport, Depth, FINDINGS_MAX, Finding, OnProgress,
};
pub use crate::cut::{CHUNK_SIZE, Cut, ZSTD_LEVEL};
pub use crate::disk::Disk;
pub use crate::error::{Error, Result};
pub use crate::format::chunk::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN};
pub use crate::format::layout::{Extent, LOGICAL_SIZE_MAX};
pub use crate::gc_guard::GcGuard;
pub use crate::id::{ChunkId, ManifestId, ParseIdError};
pub use crate::key::{Key, Kind};
pub use crate::known::{KNOWN_CHUNKS_MAX, Known};
pub use crate::manifest::Manifest;
pub use crate::memory::Memory;
pub use crate::pieces::{Piece, Pieces};
pub use crate::pipeline::{IN_FLIGHT_CHUNKS_MAX, WORKERS_MAX};
pub use crate::store::Store;
pub use crate::sweep::{Live, SWEEP_BATCH_OBJECTS, Sweep, SweepPlan, SweepReport};
#[cfg(feature = "testing")]
pub use crate::testing::{Fault, Faulty, Operation, S3Fault, S3Server};
pub use crate::writer::{RUN_BYTES_MAX, Sealed, Source, Writer, Written, cut_stream};
