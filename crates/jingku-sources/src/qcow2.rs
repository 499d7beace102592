//! QEMU's copy-on-write format: what the header says, where the data lies, and writing a new image.
//!
//! The format is told in `docs/interop/qcow2.rst` of QEMU's source. Tables and compression are the `imago` crate's;
//! its reader trusts more than we may, so the header and the first table are checked here before it sees them.

mod header;
mod image;
mod tables;
mod writer;

pub(crate) use self::header::{Backing, Header};
pub(crate) use self::image::{Image, Mapping};
pub(crate) use self::tables::check_tables;
pub use self::writer::Qcow2Writer;
