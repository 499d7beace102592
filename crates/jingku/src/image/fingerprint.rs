//! Detects that a file or device was replaced or modified.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{SeekFrom, major, minor, seek};

/// Longer than the timestamp granularity of file systems: 10 ms on the slowest kernels.
const TICK: Duration = Duration::from_millis(20);
/// The same for file systems with timestamps of one or two seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// The state of a file or block device.
pub(super) struct Fingerprint {
    state: State,
    path: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    File {
        device: u64,
        inode: u64,
        length: u64,
        modified: (i64, i64),
        /// No program can set this time back.
        changed: (i64, i64),
    },
    /// A block device has no timestamps. The kernel counts sectors written and discarded, and may know the medium.
    Device { number: u64, length: u64, sectors: [u64; 2], medium: Option<String> },
}

impl Fingerprint {
    /// Takes the state of an open file or device, and waits until a later write would be detected. Without a path it
    /// cannot be replaced.
    pub(super) fn take(file: &File, path: Option<&Path>) -> io::Result<Self> {
        write_back(file);
        let state = state_of(file)?;
        // Again, for what was written in between.
        write_back(file);
        if let State::File { changed: (_, nanoseconds), .. } = state {
            sleep(if nanoseconds == 0 { COARSE_TICK } else { TICK });
        }
        Ok(Self { state, path: path.map(Path::to_owned) })
    }

    pub(super) fn length(&self) -> u64 {
        match self.state {
            State::File { length, .. } | State::Device { length, .. } => length,
        }
    }

    /// Whether the file or device is unchanged and its path still leads to it.
    pub(super) fn is_of(&self, file: &File) -> bool {
        let same = |metadata: &Metadata| match &self.state {
            State::File { device, inode, .. } => (*device, *inode) == (metadata.dev(), metadata.ino()),
            State::Device { number, .. } => *number == metadata.rdev(),
        };
        state_of(file).is_ok_and(|now| now == self.state)
            && self.path.as_ref().is_none_or(|path| path.metadata().is_ok_and(|metadata| same(&metadata)))
    }
}

/// Makes writes through a memory map detectable, such as those of a virtual machine: the timestamps of a file change at
/// the first write to a page after that page was written back, and only then. Where this fails, as on a read-only disk,
/// nothing writes.
fn write_back(file: &File) {
    let _ = file.sync_all();
}

fn state_of(file: &File) -> io::Result<State> {
    let metadata = file.metadata()?;
    if !metadata.file_type().is_block_device() {
        return Ok(State::File {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        });
    }
    // The kernel counts a write through the page cache when it reaches the device.
    file.sync_all()?;
    let (number, length) = (metadata.rdev(), seek(file, SeekFrom::End(0))?);
    let folder = PathBuf::from(format!("/sys/dev/block/{}:{}", major(number), minor(number)));
    let stat = std::fs::read_to_string(folder.join("stat"))?;
    let sectors = sectors(&stat).ok_or(io::ErrorKind::InvalidData)?;
    let medium = std::fs::read_to_string(folder.join("diskseq")).ok();
    Ok(State::Device { number, length, sectors, medium })
}

/// Sectors written and discarded: `Documentation/block/stat.rst` of the Linux kernel. The number of writes is not used:
/// it includes flushes, such as our own. Discards are counted since Linux 4.18.
fn sectors(stat: &str) -> Option<[u64; 2]> {
    let fields: Vec<u64> = stat.split_whitespace().map_while(|field| field.parse().ok()).collect();
    Some([*fields.get(6)?, fields.get(13).copied().unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;
    use std::time::SystemTime;

    use super::*;

    /// Whether a change to a file of 10 bytes is detected.
    fn is_detected(change: impl FnOnce(&Path, &File, &fs::Metadata)) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        fs::write(&path, "0123456789").unwrap();
        let file = File::open(&path).unwrap();
        let fingerprint = Fingerprint::take(&file, Some(&path)).unwrap();
        assert_eq!(fingerprint.length(), 10);
        assert!(fingerprint.is_of(&file));
        let writer = File::options().write(true).open(&path).unwrap();
        change(&path, &writer, &file.metadata().unwrap());
        !fingerprint.is_of(&file)
    }

    #[test]
    fn every_change_of_a_file_is_seen() {
        assert!(!is_detected(|path, _, _| drop(fs::read(path).unwrap())), "reading is no change");
        assert!(is_detected(|_, file, _| file.write_all_at(b"x", 3).unwrap()));
        assert!(is_detected(|_, file, _| file.set_len(9).unwrap()));
        assert!(is_detected(|_, file, _| file.write_all_at(b"x", 10).unwrap()));
        assert!(is_detected(|path, _, _| fs::remove_file(path).unwrap()));
        // As `touch -d` and `rsync --times` do.
        assert!(is_detected(|_, file, before| {
            file.write_all_at(b"x", 3).unwrap();
            file.set_modified(before.modified().unwrap()).unwrap();
            assert_eq!(file.metadata().unwrap().modified().unwrap(), before.modified().unwrap());
        }));
        assert!(is_detected(|_, file, _| file.set_modified(SystemTime::UNIX_EPOCH).unwrap()));
        assert!(is_detected(|path, _, before| {
            let other = path.with_extension("new");
            fs::write(&other, "0123456789").unwrap();
            File::options()
                .write(true)
                .open(&other)
                .unwrap()
                .set_modified(before.modified().unwrap())
                .unwrap();
            fs::rename(other, path).unwrap();
        }));
    }

    /// SQLite writes the index of its log through a memory map. A file system in memory keeps no timestamps for that,
    /// so this directory lies in the build directory.
    #[test]
    fn a_write_through_a_memory_map_is_seen() {
        let program = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
        let database = rusqlite::Connection::open(folder.path().join("db")).unwrap();
        let write = |sql: &str| database.execute_batch(sql).unwrap();
        write("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)");
        let path = folder.path().join("db-shm");
        let file = File::open(&path).unwrap();
        let fingerprint = Fingerprint::take(&file, Some(&path)).unwrap();
        assert!(fingerprint.is_of(&file));
        write("INSERT INTO t VALUES (2)");
        assert!(!fingerprint.is_of(&file));
    }

    #[test]
    fn the_kernel_counts_writes_to_a_device() {
        let stat = "  107 1 2864 26 15 2 488 9 0 40 36 3 0 77 1 4 5\n";
        assert_eq!(sectors(stat), Some([488, 77]));
        // Before Linux 4.18.
        assert_eq!(sectors("107 1 2864 26 15 2 488 9 0 40 36"), Some([488, 0]));
        assert_eq!(sectors("107 1 2864"), None);
    }
}
