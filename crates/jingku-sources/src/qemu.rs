//! What is asked of QEMU: whether it holds a file, and to read what only it can.

mod child;
mod convert;
mod lock;

pub(crate) use convert::convert;
pub use lock::is_written;
pub(crate) use lock::refuse_if_written;
