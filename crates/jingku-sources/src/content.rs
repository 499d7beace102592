//! Detects what a file is from its content. Nothing else decides this.

mod archive;
mod foreign;
mod probe;
mod structure;
mod text;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::foreign::Foreign;
use self::probe::Probe;
pub use self::probe::is_zero;
use crate::packing::Packing;

/// Bytes of the start of a file that [`detect`] needs: up to the end of the first ZFS label.
pub const HEAD_BYTES: usize = 264 << 10;
/// Bytes of the end of a file that [`detect`] needs: they include the superblock of old Linux software RAID.
pub const TAIL_BYTES: usize = 128 << 10;

/// The name of an archive of images, with an article.
pub(crate) const IMAGE_ARCHIVE: &str = "an archive of container images";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A qcow2 disk, version 2 or later.
    Qcow2,
    /// Compressed in a format that an upload may have.
    Packed(Packing),
    /// A raw disk with a structure that only disks have, such as `a GPT partition table`.
    Disk(&'static str),
    /// Zeros at both ends, as in a new disk; the middle is unknown.
    Zeros,
    /// An archive of images, as `podman save` and `docker save` write it, by the name of its first file.
    ImageArchive,
    /// Not a disk, or a disk in an unsupported format.
    Foreign(Foreign),
    /// Not recognised. Encrypted disks look like this, and so do wrong files.
    Unknown,
}

/// Detects the content of a file from its first [`HEAD_BYTES`] and last [`TAIL_BYTES`], or all of it if it is shorter.
///
/// Structures that only disks have take precedence, since a disk may begin with any bytes. Exceptions are formats that
/// append something to a plain disk, which an image would then contain.
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
    if archive::is_image_archive(head) {
        return Content::ImageArchive;
    }
    if let Some(foreign) =
        foreign::by_magic(&probe).or_else(|| archive::find(&probe)).or_else(|| text::find(head))
    {
        return Content::Foreign(foreign);
    }
    if is_zero(head) && is_zero(tail) { Content::Zeros } else { Content::Unknown }
}

/// Why an accepted disk may not be what its owner wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caution {
    /// It has no structure of a disk.
    NoStructure,
    /// The disk in a qcow2 file contains something that no machine boots from.
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

/// Returns the warning for a disk of this content, unless it is all `zero`.
pub(crate) fn caution(content: Content, is_qcow2: bool, zero: bool) -> Option<Caution> {
    match content {
        Content::Disk(_) => None,
        Content::Zeros if zero => None,
        Content::Qcow2 if is_qcow2 => Some(Caution::Holds("another qcow2 disk".to_owned())),
        Content::Packed(packing) if is_qcow2 => Some(Caution::Holds(packing.name().to_owned())),
        Content::ImageArchive if is_qcow2 => Some(Caution::Holds(IMAGE_ARCHIVE.to_owned())),
        Content::Foreign(foreign) if is_qcow2 => Some(Caution::Holds(foreign.name.to_owned())),
        _ => Some(Caution::NoStructure),
    }
}
