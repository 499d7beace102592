//! Where bits come from: one instance looked at and read as a stream.
//!
//! An instance is a VM disk, raw or qcow2. [`Disk::inspect`] looks at it once, when the operator declares the
//! instance, and pins what it saw: the files of the backing chain and the format of each. [`Disk::open`] refuses
//! anything else later, and gives a [`DiskReader`] which names the ranges that hold data and reads them.
//!
//! ```no_run
//! # use std::path::Path;
//! # fn main() -> Result<(), jingku_sources::DiskError> {
//! let disk = jingku_sources::Disk::inspect(Path::new("/srv/vm/trainer.qcow2"), None)?;
//! let reader = disk.open(Path::new("/var/lib/jingku/scratch"))?;
//! let mut piece = vec![0; 4 << 20];
//! let mut at = 0;
//! while let Some(range) = reader.next_data(at)? {
//!     for start in range.clone().step_by(piece.len()) {
//!         let len = piece.len().min((range.end - start) as usize);
//!         reader.read_exact_at(start, &mut piece[..len])?;
//!     }
//!     at = range.end;
//! }
//! reader.unchanged()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Why the format is told once
//!
//! A guest owns every byte of its raw disk, so it can write a qcow2 header at the start of it, and name any file of
//! the host as the backing file. Whoever probes the format again on the next read would then hand that file to the
//! guest's owner. So content decides at most once, at declaration, while the operator looks at the answer.
//!
//! A file that a tenant uploads was seen by nobody: [`open_untrusted`] tells its format by its content once, and reads no
//! other file whatever it says.
//!
//! # Invariants
//!
//! - No source is ever opened for writing.
//! - No file is read which is not a layer of the declared [`Disk`]: names inside an image are compared, never followed.
//! - No claim of an image decides how much memory or time is spent: everything has a limit, see [`Disk`].
//!
//! Everything here blocks. The daemon calls it from a blocking thread.

pub mod content;
pub mod demo;
mod disk;
mod error;
mod format;
mod layer;
mod noise;
mod packing;
mod pattern;
mod qcow2;
mod qemu;
mod raw;
mod reader;
mod source;
mod sparse;
mod unpack;
mod upload;

pub use crate::disk::Disk;
pub use crate::error::DiskError;
pub use crate::format::{DiskFormat, UnknownFormat};
pub use crate::layer::Layer;
pub use crate::packing::{PackedFault, Packing, ZSTD_WINDOW_BYTES_MAX};
pub use crate::pattern::Pattern;
pub use crate::qcow2::Qcow2Writer;
pub use crate::qemu::is_written;
pub use crate::raw::next_stored;
pub use crate::reader::DiskReader;
pub use crate::sparse::SparseWriter;
pub use crate::unpack::{Unpacked, packing, unpack};
pub use crate::upload::open_untrusted;
