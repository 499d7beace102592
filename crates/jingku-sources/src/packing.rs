//! Compression formats and their errors.

use std::fmt;

/// The largest window of a zstd frame, as a power of two.
pub(crate) const ZSTD_WINDOW_BITS_MAX: u32 = 29;
/// The largest window that is read, in bytes: `zstd --long=29`. The decoder keeps the whole window in memory.
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 1 << ZSTD_WINDOW_BITS_MAX;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl Packing {
    /// Detects the compression from the first eight bytes of a file.
    pub fn of(head: &[u8]) -> Option<Self> {
        match *head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            // A frame, or a skippable frame, which may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The command that decompresses it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -dk FILE",
            Self::Zstd => "zstd -d FILE",
        }
    }
}

/// What is wrong with a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackedFault {
    /// The file is shorter than its content requires: truncated or incomplete.
    EndsEarly(Packing),
    /// The content is complete, and something else follows at this offset of the file.
    Followed(Packing, u64),
    /// The content is inconsistent.
    Damaged(Packing, String),
    /// A zstd frame needs a dictionary with this id, which is not in the file.
    NeedsDictionary(u32),
    /// A zstd frame needs this many bytes of memory.
    NeedsMemory(u64),
    /// There is no content.
    Empty,
    /// The content exceeds this many bytes.
    TooLarge(u64),
}

impl fmt::Display for PackedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsEarly(packing) => write!(
                f,
                "it ends early: its {} content is cut off. Compare its size with that of the original, and copy it again",
                packing.name()
            ),
            Self::Followed(packing, at) => write!(
                f,
                "something else follows its {} content at byte {at}. Unpack it with `{}` and check what comes out",
                packing.name(),
                packing.command()
            ),
            Self::Damaged(Packing::Gzip, why) => {
                write!(f, "its gzip content is damaged ({why}). Copy it again, or make it again")
            }
            Self::Damaged(Packing::Zstd, why) => write!(
                f,
                "its zstd content is damaged ({why}). Copy it again, or make it again, without `-D` and `--patch-from`"
            ),
            Self::NeedsDictionary(id) => write!(
                f,
                "its zstd content needs a dictionary ({id}), which is not in the file. Unpack it with `zstd -d -D DICTIONARY FILE` first"
            ),
            Self::NeedsMemory(bytes) => write!(
                f,
                "its zstd content needs a window of {} MB, and at most {} MB are supported. Unpack it with \
                 `zstd -d --long=31 FILE` first, or compress it with a smaller window",
                bytes.div_ceil(1 << 20),
                ZSTD_WINDOW_BYTES_MAX >> 20
            ),
            Self::Empty => f.write_str("nothing is in it"),
            Self::TooLarge(bytes) => write!(f, "it holds more than {} GB when unpacked", bytes >> 30),
        }
    }
}
