//! The files of the container: programs and texts of this machine, and noise.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use walkdir::WalkDir;

/// The folder of the files, below the root of the container.
pub(super) const DATA: &str = "data";
/// Number of folders in it, all of about the same size.
pub(super) const PARTS: usize = 8;
/// The share of noise, as of weights and compressed archives.
const NOISE_PERCENT: u64 = 15;
const NOISE_FILE_BYTES: u64 = 4 << 20;
const CHANGED_PERCENT: u64 = 1;
/// The longest change, in bytes.
const RUN_BYTES_MAX: u64 = 1 << 20;

pub(super) struct Content {
    /// With the length of each.
    files: Vec<(PathBuf, u64)>,
    pub(super) bytes: u64,
}

impl Content {
    /// Copies files of this machine below the root of the container, and adds noise, up to this number of bytes.
    pub(super) fn create(root: &Path, bytes: u64) -> Result<Self> {
        let mut content = Self { files: Vec::new(), bytes: 0 };
        let copied_bytes = bytes / 100 * (100 - NOISE_PERCENT);
        let below = |folder| WalkDir::new(folder).sort_by_file_name();
        for file in sources()?.into_iter().flat_map(below).flatten() {
            let length = file.metadata()?.len();
            // Large files are skipped, so that the last one does not exceed the size by much.
            if !file.file_type().is_file() || length > bytes / 20 {
                continue;
            }
            if content.bytes >= copied_bytes {
                break;
            }
            let to = content.place(root, bytes, file.path())?;
            fs::copy(file.path(), &to).with_context(|| format!("copy {}", file.path().display()))?;
            content.add(to, length);
        }
        let (mut random, mut noise) = (Rng::with_seed(1), vec![0; usize::try_from(NOISE_FILE_BYTES)?]);
        while content.bytes < bytes {
            let name = format!("/noise/{}", content.files.len());
            let to = content.place(root, bytes, Path::new(&name))?;
            random.fill(&mut noise);
            fs::write(&to, &noise)?;
            content.add(to, NOISE_FILE_BYTES);
        }
        Ok(content)
    }

    /// The place of the next file, below the folder of its part.
    fn place(&self, root: &Path, bytes: u64, path: &Path) -> Result<PathBuf> {
        let part = self.bytes * PARTS as u64 / bytes;
        let to = root.join(DATA).join(part.to_string()).join(path.strip_prefix("/")?);
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        Ok(to)
    }

    fn add(&mut self, path: PathBuf, length: u64) {
        self.files.push((path, length));
        self.bytes += length;
    }

    /// Changes 1 % of the bytes in runs of up to 1 MiB that end with their file. Returns the number of changed bytes.
    pub(super) fn change(&self, seed: u64) -> Result<u64> {
        let (mut random, mut changed) = (Rng::with_seed(seed), 0);
        while changed < self.bytes / 100 * CHANGED_PERCENT {
            // By bytes, so that large files change more often.
            let mut place = random.u64(..self.bytes);
            let file = self.files.iter().find(|(_, length)| {
                let is_inside = place < *length;
                place -= if is_inside { 0 } else { *length };
                is_inside
            });
            let (path, length) = file.context("the place is inside a file")?;
            let mut run = vec![0; usize::try_from(random.u64(1..=RUN_BYTES_MAX).min(length - place))?];
            let file = File::options().read(true).write(true).open(path)?;
            file.read_exact_at(&mut run, place)?;
            // Compresses as before.
            for byte in &mut run {
                *byte = byte.wrapping_add(1);
            }
            file.write_all_at(&run, place)?;
            changed += run.len() as u64;
        }
        Ok(changed)
    }
}

fn sources() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir("/usr/lib")? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("python3") {
            folders.push(entry.path());
        }
    }
    folders.sort();
    folders.push(PathBuf::from("/usr/share"));
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_percent_of_the_files_changes() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        fs::write(&path, vec![7; 10 << 20]).unwrap();
        let content = Content { files: vec![(path.clone(), 10 << 20)], bytes: 10 << 20 };
        let changed = content.change(1).unwrap();
        let file = fs::read(path).unwrap();
        assert!(changed >= (10 << 20) / 100);
        assert!(file.iter().any(|byte| *byte != 7));
        assert_eq!(file.len(), 10 << 20);
    }
}
