//! What a file is, by its content: the one place where that is decided.

mod archive;
mod foreign;
mod probe;
mod structure;
mod text;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::foreign::Foreign;
use self::probe::Probe;
pub(crate) use self::probe::is_zero;
use crate::packing::Packing;

/// Bytes of the start of a file that [`detect`] looks at: up to the end of the first label of ZFS.
pub const HEAD_BYTES: usize = 264 << 10;
/// Bytes of the end of a file that [`detect`] looks at: a superblock of the old Linux software RAID lies in them.
pub const TAIL_BYTES: usize = 128 << 10;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A qcow2 disk, version 2 or later.
    Qcow2,
    /// Something compressed in a way that an upload may be.
    Packed(Packing),
    /// A raw disk with a structure which only disks have, such as `a GPT partition table`.
    Disk(&'static str),
    /// Zeros at both probe, which a new disk has; what is between them was not looked at.
    Zeros,
    /// Something that is no disk, or a disk in a format that is not read.
    Foreign(Foreign),
    /// None of all these. An encrypted disk looks so, and so does a file taken by mistake.
    Unknown,
}

/// Says what a file is, from its first [`HEAD_BYTES`] and its last [`TAIL_BYTES`], or all of it where it is shorter.
///
/// What only disks have counts more than what a disk may happen to begin with, since a disk may begin with anything.
/// Exceptions are the formats that hold a disk as it is and add something to it, which an image would hold too.
pub fn detect(head: &[u8], tail: &[u8], size: u64) -> Content {
    let probe = Probe { head, tail, size };
    if probe.has(0, b"QFI\xfb") && !probe.has(4, &[0, 0, 0, 1]) {
        return Content::Qcow2;
    }
    if let Some(foreign) = foreign::by_footer(&probe) {
        return Content::Foreign(foreign);
    }
    if let Some(name) = structure::find(&probe) {
        return Content::Disk(name);
    }
    if let Some(packing) = Packing::of(head) {
        return Content::Packed(packing);
    }
    if let Some(foreign) =
        foreign::by_magic(&probe).or_else(|| archive::find(&probe)).or_else(|| text::find(head))
    {
        return Content::Foreign(foreign);
    }
    if is_zero(head) && is_zero(tail) { Content::Zeros } else { Content::Unknown }
}

/// Why a disk that is accepted may not be what its owner means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caution {
    /// Nothing in it that disks have.
    NoStructure,
    /// The disk in a qcow2 file holds what no machine starts from.
    Holds(String),
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStructure => f.write_str(
                "The disk has no partition table, file system or other known structure of a disk, so a machine may not be \
                 able to start from it or mount it. Check that it is the right file, not encrypted or packed in a way \
                 that is not recognised. If it is a raw disk, `--format raw` says so and silences this.",
            ),
            Self::Holds(name) => write!(
                f,
                "The disk in the qcow2 file holds no partition table or file system; it looks like {name}, so a machine \
                 may not be able to start from it or mount it. Check that it is the right file."
            ),
        }
    }
}

/// Says what is to be said about a disk of this content, unless it was `zero` all over.
pub(crate) fn caution(content: Content, is_qcow2: bool, zero: bool) -> Option<Caution> {
    match content {
        Content::Disk(_) => None,
        Content::Zeros if zero => None,
        Content::Qcow2 if is_qcow2 => Some(Caution::Holds("another qcow2 disk".to_owned())),
        Content::Packed(packing) if is_qcow2 => Some(Caution::Holds(packing.name().to_owned())),
        Content::Foreign(foreign) if is_qcow2 => Some(Caution::Holds(foreign.name.to_owned())),
        _ => Some(Caution::NoStructure),
    }
}
