//! The files of a container as a tar stream, and what of it belongs into an image.
//!
//! [`Filter`] reads the archive of a container's root that its engine exports, and yields the archive of the image. What
//! is kept, is kept byte by byte, with its headers: the order, owners, links and extended attributes are the engine's.

mod block;
mod drivers;
mod entry;
mod extended;
mod filter;
mod pax;
mod report;
mod root;
mod rules;
mod secrets;
mod software;

pub(crate) use self::block::{BLOCK, invalid, read_rest};
pub use self::entry::read_one_file;
pub(crate) use self::entry::{Entry, PATH_BYTES_MAX, clean};
pub use self::filter::{Filter, Refetch};
pub use self::report::{LeftOut, Report};
pub use self::root::{Root, RootArchive};
pub use self::rules::{BadPattern, Reason, Rules};
pub use self::software::FoundSoftware;
