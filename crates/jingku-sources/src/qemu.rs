//! What is asked of QEMU: whether it holds a file, and to read what only it can.

mod child;
mod convert;
mod lock;

pub(crate) use self::convert::convert;
pub use self::lock::is_written;
pub(crate) use self::lock::refuse_if_written;
