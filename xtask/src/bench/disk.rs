//! The disk of the benchmarks: an ext4 file system with files of this machine, and changed copies of it.

use std::collections::HashSet;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::iter;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, ensure};
use fastrand::Rng;
use serde::Serialize;
use walkdir::WalkDir;

use super::report::mega;
use crate::workspace::{command, run};

/// Percentage of the disk that is filled with files, like a system disk in use.
const FILLED_PERCENT: u64 = 65;
/// Number of files per folder.
const FOLDER_FILES: usize = 500;
const BLOCK_BYTES: u64 = 4096;
const RUN_BYTES_MIN: u64 = 64 << 10;
const RUN_BYTES_MAX: u64 = 1 << 20;

/// Fixed, so that the disk is the same.
const DISK_UUID: &str = "6f0d3c5e-1d6c-4b5f-9c0b-0a3d6d0a1c01";
const SEED: u64 = 2;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Size of the disk; docs/operate/figures.md uses 4 GiB.
    #[arg(long, value_name = "GIB", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    size: u64,
}

/// Sizes in bytes.
#[derive(Serialize)]
pub(super) struct Sizes {
    pub(super) disk: u64,
    /// All that is not holes.
    pub(super) data: u64,
    /// What differs between v1 and v2, and as much between v1 and v3.
    pub(super) changed: u64,
}

impl Args {
    /// Creates the disk `v1.raw`, a copy `v2.raw` that is changed in runs, and a copy `v3.raw` that is changed in blocks.
    /// Fails if there is no space for as many disks.
    pub(super) fn create(&self, folder: &Path, room_disks: u64) -> Result<Sizes> {
        let disk_bytes = self.size << 30;
        let file_system = rustix::fs::statvfs(folder)?;
        let (free, needed) = (file_system.f_bavail * file_system.f_frsize, disk_bytes * room_disks);
        let (free_mb, needed_mb) = (mega(free), mega(needed));
        ensure!(free >= needed, "{} has {free_mb:.0} MB free; {needed_mb:.0} are needed", folder.display());
        eprintln!("filling a disk");
        let data = create(folder, disk_bytes)?;
        run(&mut command(folder, "cp", "--sparse=always v1.raw v2.raw"))?;
        run(&mut command(folder, "cp", "--sparse=always v1.raw v3.raw"))?;
        let changed = change(&folder.join("v2.raw"), Change::Runs)?;
        change(&folder.join("v3.raw"), Change::Blocks)?;
        Ok(Sizes { disk: disk_bytes, data, changed })
    }
}

/// Creates `v1.raw`. It is the same if the source folders are the same. Returns the bytes that are not holes.
///
/// Nothing is mounted: `debugfs` copies the files into the file system.
fn create(folder: &Path, disk_bytes: u64) -> Result<u64> {
    let disk = File::create_new(folder.join("v1.raw"))?;
    disk.set_len(disk_bytes)?;
    run(&mut command(folder, "mkfs.ext4", &format!("-q -F -m 0 -U {DISK_UUID} v1.raw")))?;
    fs::write(folder.join("commands"), filling(disk_bytes / 100 * FILLED_PERCENT)?)?;
    let mut debugfs = command(folder, "debugfs", "-w -f commands v1.raw");
    run(debugfs.stdout(Stdio::null()).stderr(Stdio::null()))?;
    disk.sync_all()?;
    let data_bytes = disk.metadata()?.blocks() * 512;
    ensure!(data_bytes >= disk_bytes / 2, "debugfs copied less than half of the files");
    Ok(data_bytes)
}

/// Commands for `debugfs` that copy files up to a number of bytes.
fn filling(data_bytes: u64) -> Result<String> {
    let (mut commands, mut bytes, mut count) = (String::new(), 0, 0);
    let below = |folder| WalkDir::new(folder).sort_by_file_name();
    for file in sources().flat_map(below).flatten().filter(|file| file.file_type().is_file()) {
        let Ok(length) = file.metadata().map(|metadata| metadata.len()) else { continue };
        // debugfs splits names at blanks. Large files are skipped, so that the last one does not exceed the size by much.
        let name =
            file.path().to_str().filter(|name| !name.contains(|c: char| c.is_whitespace() || c == '"'));
        let Some(name) = name.filter(|_| length <= data_bytes / 20) else { continue };
        if bytes >= data_bytes {
            return Ok(commands);
        }
        if count % FOLDER_FILES == 0 {
            let folder = count / FOLDER_FILES;
            writeln!(commands, "cd /\nmkdir /{folder}\ncd /{folder}")?;
        }
        writeln!(commands, "write {name} {count}")?;
        count += 1;
        bytes += length.next_multiple_of(BLOCK_BYTES);
    }
    ensure!(bytes >= data_bytes, "found only {bytes} bytes of files for the disk");
    Ok(commands)
}

/// Folders with typical content of system disks: programs, libraries, texts.
fn sources() -> impl Iterator<Item = PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".rustup"));
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(home);
    iter::once(PathBuf::from("/usr")).chain(rustup)
}

/// How 2 % of a disk change.
#[derive(Clone, Copy)]
enum Change {
    /// In runs of 64 KiB to 1 MiB, as by writing files.
    Runs,
    /// In single blocks of 4 KiB, as by a database.
    Blocks,
}

/// Changes 2 % of a disk, where it has data. Adds one to every byte, so that it compresses as before. Returns the number
/// of changed bytes.
fn change(path: &Path, change: Change) -> Result<u64> {
    let disk = File::options().read(true).write(true).open(path)?;
    let disk_bytes = disk.metadata()?.len();
    let (mut changed, mut places_taken) = (0, HashSet::new());
    for (at, length) in places(disk_bytes, change, SEED) {
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
    iter::repeat_with(move || {
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

/// Sums a value of all files below a folder.
pub(super) fn sum_files(folder: &Path, of: impl Fn(&Metadata) -> u64) -> Result<u64> {
    let mut sum = 0;
    for entry in WalkDir::new(folder) {
        let file = entry?.metadata()?;
        sum += if file.is_dir() { 0 } else { of(&file) };
    }
    Ok(sum)
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
