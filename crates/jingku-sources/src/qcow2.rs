//! QEMU's copy-on-write format: header, mapping of data, and writing new images.
//!
//! QEMU documents the format in `docs/interop/qcow2.rst`. The `imago` crate handles tables and compression. Its reader
//! trusts the file too much, so the header and the L1 table are checked here first.

mod header;
mod image;
mod tables;
mod writer;

pub(crate) use self::header::{Backing, Header};
pub(crate) use self::image::{Image, Mapping};
pub(crate) use self::tables::check_tables;
pub use self::writer::Qcow2Writer;
