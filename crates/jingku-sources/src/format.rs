//! The two disk formats, and the files that have them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::content::{Content, Foreign, IMAGE_ARCHIVE};
use crate::error::DiskError;

/// The format of a disk file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// Byte for byte.
    Raw,
    /// QEMU copy on write, version 2 or 3.
    Qcow2,
}

/// One file of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Absolute and canonical.
    pub path: PathBuf,
    /// How to read it, whatever its content looks like later.
    pub format: DiskFormat,
}

/// A text that is neither `raw` nor `qcow2`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The disk format {0:?} is not known. Use raw or qcow2.")]
pub struct UnknownFormat(String);

impl fmt::Display for DiskFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for DiskFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<DiskFormat, UnknownFormat> {
        let format = DiskFormat::deserialize(text.into_deserializer());
        format.map_err(|_: de::value::Error| UnknownFormat(text.to_owned()))
    }
}

impl DiskFormat {
    /// Returns the format in which to read a disk of this content, or refuses it.
    pub(crate) fn of(content: Content, path: &Path) -> Result<DiskFormat, DiskError> {
        let foreign = match content {
            Content::Qcow2 => return Ok(DiskFormat::Qcow2),
            Content::Disk(_) | Content::Zeros | Content::Unknown => return Ok(DiskFormat::Raw),
            Content::Packed(packing) => Foreign { name: packing.name(), command: Some(packing.command()) },
            Content::ImageArchive => Foreign { name: IMAGE_ARCHIVE, command: None },
            Content::Foreign(foreign) => foreign,
        };
        Err(DiskError::NotADisk(path.to_owned(), foreign))
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
}
