//! The sources of images: VM disks and uploaded files, read as streams.
//!
//! A VM disk is raw or qcow2. [`Disk::inspect`] examines it once, when the operator declares the instance, and pins the
//! files of its backing chain and their formats. [`Disk::open`] refuses anything else later, and returns a
//! [`DiskReader`], which lists the ranges that hold data and reads them.
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
//! # Why the format is pinned
//!
//! A guest controls every byte of its raw disk. It can write a qcow2 header that names any file of the host as the
//! backing file. Probing the format again on a later read would disclose that file to the guest's owner. So content
//! decides at most once, at declaration, while the operator sees the result.
//!
//! Nobody has seen a file that a tenant uploads: [`open_untrusted`] detects its format once, and reads no other file.
//!
//! # Invariants
//!
//! - Sources are never opened for writing.
//! - Only layers of the declared [`Disk`] are read: names inside an image are compared, never followed.
//! - Time and memory are bounded, whatever an image claims: see [`Disk`].
//!
//! All calls block.

mod ahead;
pub mod content;
pub mod demo;
mod disk;
mod error;
mod format;
mod noise;
pub mod oci;
mod packing;
mod pattern;
mod qcow2;
mod qemu;
mod raw;
mod reader;
mod source;
mod sparse;
pub mod tree;
mod unpack;
mod upload;

pub use crate::ahead::{Ahead, read_ahead};
pub use crate::disk::Disk;
pub use crate::error::DiskError;
pub use crate::format::{DiskFormat, Layer, UnknownFormat};
pub use crate::packing::{PackedFault, Packing, ZSTD_WINDOW_BYTES_MAX};
pub use crate::pattern::Pattern;
pub use crate::qcow2::Qcow2Writer;
pub use crate::qemu::is_written;
pub use crate::raw::next_stored;
pub use crate::reader::DiskReader;
pub use crate::sparse::SparseWriter;
pub use crate::unpack::{Unpacked, packing, unpack};
pub use crate::upload::open_untrusted;
