//! The use of QEMU: detecting its locks, and converting what only it reads.

mod child;
mod convert;
mod lock;

pub(crate) use self::convert::convert;
pub use self::lock::is_written;
pub(crate) use self::lock::refuse_if_written;
