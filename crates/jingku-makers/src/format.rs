//! The two disk formats, and telling them apart by content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the bytes of a disk lie in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// Byte for byte.
    Raw,
    /// QEMU copy on write, version 2 or 3.
    Qcow2,
}

/// Says that a text names neither `raw` nor `qcow2`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The disk format {0:?} is not known. Use raw or qcow2.")]
pub struct UnknownFormat(String);

impl fmt::Display for DiskFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DiskFormat::Raw => "raw",
            DiskFormat::Qcow2 => "qcow2",
        })
    }
}

impl FromStr for DiskFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<DiskFormat, UnknownFormat> {
        match text {
            "raw" => Ok(DiskFormat::Raw),
            "qcow2" => Ok(DiskFormat::Qcow2),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}

/// Formats which are not read. Saved as raw, such a file would give an image that no machine can boot.
const FOREIGN_MAGICS: &[(usize, &[u8], &str)] = &[
    (0, b"QFI\xfb\x00\x00\x00\x01", "qcow (version 1)"),
    (0, b"QED\0", "QED"),
    (0, b"KDMV", "VMDK"),
    (0, b"# Disk DescriptorFile", "VMDK"),
    (0, b"vhdxfile", "VHDX"),
    (0, b"conectix", "VHD"),
    (0x40, &[0x7f, 0x10, 0xda, 0xbe], "VDI"),
];

/// Says what the first bytes of a file look like: a format we read, or the name of one we do not.
pub(crate) fn detect(head: &[u8]) -> Result<DiskFormat, &'static str> {
    let foreign = FOREIGN_MAGICS
        .iter()
        .find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match foreign {
        Some((_, _, name)) => Err(name),
        None if head.starts_with(b"QFI\xfb") => Ok(DiskFormat::Qcow2),
        None => Ok(DiskFormat::Raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for format in [DiskFormat::Raw, DiskFormat::Qcow2] {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert_eq!(serde_json::to_string(&format).unwrap(), format!("\"{format}\""));
        }
        assert!("QCOW2".parse::<DiskFormat>().is_err());
    }

    #[test]
    fn content_decides() {
        assert_eq!(detect(b""), Ok(DiskFormat::Raw));
        assert_eq!(detect(b"QFI\xfb\x00\x00\x00\x03"), Ok(DiskFormat::Qcow2));
        assert_eq!(detect(b"KDMV\x01"), Err("VMDK"));
        assert_eq!(detect(b"QFI\xfb\x00\x00\x00\x01"), Err("qcow (version 1)"));
    }
}
