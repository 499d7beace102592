//! Sums over the files of a folder.

use std::fs::{self, Metadata};
use std::path::Path;

use anyhow::Result;

/// Sums a value of all files below a folder.
pub(super) fn sum(folder: &Path, of: impl Fn(&Metadata) -> u64) -> Result<u64> {
    let (mut sum, mut left) = (0, vec![folder.to_owned()]);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                left.push(entry.path());
            } else {
                sum += of(&metadata);
            }
        }
    }
    Ok(sum)
}
