//! The disk that images are made of: real files of this machine, laid out as on a disk, with holes.

use std::collections::VecDeque;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The disk's size.
pub(super) const DISK_BYTES: u64 = 4 << 30;
/// How much of it is not zero, about: as a system disk in use is.
const DATA_BYTES: u64 = 2_800_000_000;
/// Files begin at blocks, as in a file system.
const BLOCK_BYTES: u64 = 4096;
/// After so much data comes a hole, so wide that data and holes fill the disk together.
const STRETCH_BYTES: u64 = 32 << 20;
/// 2 % of the disk.
const CHANGED_BYTES: u64 = DISK_BYTES / 50;
const RUN_BYTES_MIN: u64 = 64 << 10;
const RUN_BYTES_MAX: u64 = 1 << 20;

/// Writes the disk: the same bytes whenever the folders it takes files from are the same. Returns the bytes of data.
pub(super) fn create(path: &Path) -> Result<u64> {
    let mut disk = File::create_new(path).with_context(|| format!("create {}", path.display()))?;
    disk.set_len(DISK_BYTES)?;
    let (mut at, mut data, mut stretch_end) = (0_u64, 0, STRETCH_BYTES);
    for file in Files::below(sources()) {
        if data >= DATA_BYTES {
            break;
        }
        let Ok(file) = File::open(&file) else { continue };
        disk.seek(SeekFrom::Start(at))?;
        let copied = copy(file.take(DATA_BYTES - data), &mut disk)?;
        at += copied.next_multiple_of(BLOCK_BYTES);
        data += copied;
        if data >= stretch_end {
            stretch_end = data + STRETCH_BYTES;
            at = at.max((data * DISK_BYTES / DATA_BYTES).next_multiple_of(BLOCK_BYTES));
        }
    }
    ensure!(data >= DATA_BYTES, "only {data} bytes of files were found to fill the disk with");
    ensure!(at <= DISK_BYTES, "the files do not fit on the disk");
    disk.sync_all()?;
    Ok(data)
}

/// Folders with much of what lies on system disks: programs, libraries, texts.
fn sources() -> Vec<PathBuf> {
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".rustup")));
    [Some(PathBuf::from("/usr")), rustup].into_iter().flatten().collect()
}

/// `io::copy` would ask the file system to share the blocks; a file that ends early or cannot be read counts as far as
/// it went.
fn copy(mut from: impl Read, to: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut copied = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(copied),
            Ok(read) => {
                to.write_all(&buffer[..read])?;
                copied += read as u64;
            }
        }
    }
}

/// Regular files below folders, in the order of their names.
struct Files {
    left: VecDeque<PathBuf>,
}

impl Files {
    fn below(folders: Vec<PathBuf>) -> Self {
        Self { left: folders.into() }
    }
}

impl Iterator for Files {
    type Item = PathBuf;

    fn next(&mut self) -> Option<PathBuf> {
        loop {
            let path = self.left.pop_front()?;
            // Links are not followed: no file twice.
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_file() {
                return Some(path);
            }
            if metadata.is_dir() {
                let mut inside: Vec<PathBuf> =
                    fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
                inside.sort();
                for path in inside.into_iter().rev() {
                    self.left.push_front(path);
                }
            }
        }
    }
}

/// Changes 2 % of a disk in runs of 64 KiB to 1 MiB, where there is data: every byte, by one, so that it compresses as
/// before. Returns the bytes that were changed.
pub(super) fn change(path: &Path, seed: u64) -> Result<u64> {
    let disk = File::options().read(true).write(true).open(path)?;
    let mut changed = 0;
    for (at, length) in runs(seed) {
        if changed >= CHANGED_BYTES {
            break;
        }
        let mut run = vec![0; usize::try_from(length)?];
        disk.read_exact_at(&mut run, at)?;
        if run.iter().all(|byte| *byte == 0) {
            continue;
        }
        for byte in &mut run {
            *byte = byte.wrapping_add(1);
        }
        disk.write_all_at(&run, at)?;
        changed += length;
    }
    disk.sync_all()?;
    Ok(changed)
}

/// Where runs are, anywhere on the disk, and how long; without end.
fn runs(seed: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut dice = Dice(seed);
    std::iter::repeat_with(move || {
        let length =
            RUN_BYTES_MIN + dice.next((RUN_BYTES_MAX - RUN_BYTES_MIN) / BLOCK_BYTES + 1) * BLOCK_BYTES;
        (dice.next((DISK_BYTES - length) / BLOCK_BYTES) * BLOCK_BYTES, length)
    })
}

/// The generator `SplitMix64`: enough to scatter runs, and the same everywhere.
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn next(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_lie_inside_the_disk_and_are_the_same_every_time() {
        let some = || runs(1).take(1_000).collect::<Vec<_>>();
        assert!(some().iter().all(|(_, length)| (RUN_BYTES_MIN..=RUN_BYTES_MAX).contains(length)));
        assert!(some().iter().all(|(at, length)| at % BLOCK_BYTES == 0 && at + length <= DISK_BYTES));
        assert_eq!(some(), some());
    }
}
