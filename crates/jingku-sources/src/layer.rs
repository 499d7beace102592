//! One file of a disk.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::format::DiskFormat;

/// One file of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Absolute and canonical.
    pub path: PathBuf,
    /// How to read it, whatever its content looks like later.
    pub format: DiskFormat,
}
