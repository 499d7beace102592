//! The disk of the benchmarks: an ext4 file system with files of this machine, and changed copies of it.

use std::collections::{HashSet, VecDeque};
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;

use crate::workspace::run;

/// Percentage of the disk that is filled with files, like a system disk in use.
const FILLED_PERCENT: u64 = 65;
/// Number of files per folder.
const FOLDER_FILES: usize = 500;
const BLOCK_BYTES: u64 = 4096;
const RUN_BYTES_MIN: u64 = 64 << 10;
const RUN_BYTES_MAX: u64 = 1 << 20;

/// Creates the disk. It is the same if the source folders are the same. Returns the bytes that are not holes.
///
/// Nothing is mounted: `debugfs` copies the files into the file system.
pub(super) fn create(path: &Path, disk_bytes: u64) -> Result<u64> {
    let disk = File::create_new(path).with_context(|| format!("create {}", path.display()))?;
    disk.set_len(disk_bytes)?;
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", "-U", DISK_UUID]).arg(path))?;
    let commands = path.with_extension("commands");
    fs::write(&commands, filling(disk_bytes / 100 * FILLED_PERCENT)?)?;
    let mut debugfs = Command::new("debugfs");
    debugfs.arg("-w").arg("-f").arg(&commands).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    run(&mut debugfs)?;
    fs::remove_file(&commands)?;
    disk.sync_all()?;
    let data_bytes = disk.metadata()?.blocks() * 512;
    ensure!(data_bytes >= disk_bytes / 2, "debugfs copied less than half of the files");
    Ok(data_bytes)
}

/// Fixed, so that the disk is the same.
const DISK_UUID: &str = "6f0d3c5e-1d6c-4b5f-9c0b-0a3d6d0a1c01";

/// Commands for `debugfs` that copy files up to a number of bytes.
fn filling(data_bytes: u64) -> Result<String> {
    let (mut commands, mut bytes, mut count) = (String::new(), 0, 0);
    for file in Files::below(sources()) {
        let Ok(metadata) = file.metadata() else { continue };
        // debugfs splits names at blanks. Large files are skipped, so that the last one does not exceed the size by much.
        let name = file.to_str().filter(|name| !name.contains(char::is_whitespace) && !name.contains('"'));
        let Some(name) = name.filter(|_| metadata.len() <= data_bytes / 20) else { continue };
        if bytes >= data_bytes {
            return Ok(commands);
        }
        if count % FOLDER_FILES == 0 {
            let folder = count / FOLDER_FILES;
            writeln!(commands, "cd /\nmkdir /{folder}\ncd /{folder}")?;
        }
        writeln!(commands, "write {name} {count}")?;
        count += 1;
        bytes += metadata.len().next_multiple_of(BLOCK_BYTES);
    }
    ensure!(bytes >= data_bytes, "found only {bytes} bytes of files for the disk");
    Ok(commands)
}

/// Folders with typical content of system disks: programs, libraries, texts.
fn sources() -> Vec<PathBuf> {
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".rustup")));
    [Some(PathBuf::from("/usr")), rustup].into_iter().flatten().collect()
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
            // Links are not followed, so that no file occurs twice.
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

/// How 2 % of a disk change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// In runs of 64 KiB to 1 MiB, as by writing files.
    Runs,
    /// In single blocks of 4 KiB, as by a database.
    Blocks,
}

/// Changes 2 % of a disk, where it has data. Adds one to every byte, so that it compresses as before. Returns the number
/// of changed bytes.
pub(super) fn change(path: &Path, change: Change, seed: u64) -> Result<u64> {
    let disk = File::options().read(true).write(true).open(path)?;
    let disk_bytes = disk.metadata()?.len();
    let (mut changed, mut places_taken) = (0, HashSet::new());
    for (at, length) in places(disk_bytes, change, seed) {
        if changed >= disk_bytes / 50 {
            break;
        }
        let mut run = vec![0; usize::try_from(length)?];
        disk.read_exact_at(&mut run, at)?;
        if run.iter().all(|byte| *byte == 0) || !places_taken.insert(at) {
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

/// Random offsets and lengths of changes, without end.
fn places(disk_bytes: u64, change: Change, seed: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut random = Rng::with_seed(seed);
    std::iter::repeat_with(move || {
        let length = match change {
            Change::Runs => {
                let blocks = (RUN_BYTES_MAX - RUN_BYTES_MIN) / BLOCK_BYTES + 1;
                RUN_BYTES_MIN + random.u64(..blocks) * BLOCK_BYTES
            }
            Change::Blocks => BLOCK_BYTES,
        };
        (random.u64(..(disk_bytes - length) / BLOCK_BYTES) * BLOCK_BYTES, length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lie_inside_the_disk_and_are_the_same_every_time() {
        let disk_bytes = 1 << 30;
        for (change, longest) in [(Change::Runs, RUN_BYTES_MAX), (Change::Blocks, BLOCK_BYTES)] {
            let some = || places(disk_bytes, change, 1).take(1_000).collect::<Vec<_>>();
            assert!(some().iter().all(|(at, length)| at % BLOCK_BYTES == 0 && at + length <= disk_bytes));
            assert!(some().iter().all(|(_, length)| (BLOCK_BYTES..=longest).contains(length)));
            assert_eq!(some(), some());
        }
    }
}
