//! Folders that packages are made from.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Creates a folder; an existing one is emptied.
pub(super) fn create(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))
}

/// Copies a file and creates the folder that it goes to.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Writes a file and creates the folder that it goes to.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
