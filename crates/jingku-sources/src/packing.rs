//! Compression formats and their errors.

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

    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -dk FILE",
            Self::Zstd => "zstd -d FILE",
        }
    }
}

/// What is wrong with a compressed file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackedFault {
    /// The file is shorter than its content requires: truncated or incomplete.
    #[error(
        "it ends early: its {} content is cut off. Compare its size with that of the original, and copy it again",
        .0.name()
    )]
    EndsEarly(Packing),
    /// The content is complete, and something else follows at this offset of the file.
    #[error(
        "something else follows its {} content at byte {at}. Unpack it with `{}` and check what comes out",
        .0.name(), .0.command(), at = .1
    )]
    Followed(Packing, u64),
    /// The content is inconsistent.
    #[error("its {} content is damaged ({why}). Copy it again, or make it again{}", .0.name(), without_base(*.0), why = .1)]
    Damaged(Packing, String),
    /// A zstd frame needs a dictionary with this id, which is not in the file.
    #[error(
        "its zstd content needs a dictionary ({0}), which is not in the file. Unpack it with `zstd -d -D DICTIONARY FILE` first"
    )]
    NeedsDictionary(u32),
    /// A zstd frame needs this many bytes of memory.
    #[error(
        "its zstd content needs a window of {} MB, and at most {} MB are supported. Unpack it with \
         `zstd -d --long=31 FILE` first, or compress it with a smaller window",
        .0.div_ceil(1 << 20), ZSTD_WINDOW_BYTES_MAX >> 20
    )]
    NeedsMemory(u64),
    /// There is no content.
    #[error("nothing is in it")]
    Empty,
    /// The content exceeds this many bytes.
    #[error("it holds more than {} GB when unpacked", .0 >> 30)]
    TooLarge(u64),
}

/// A zstd stream made against another file looks damaged.
fn without_base(packing: Packing) -> &'static str {
    match packing {
        Packing::Gzip => "",
        Packing::Zstd => ", without `-D` and `--patch-from`",
    }
}
