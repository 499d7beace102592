//! The index of SQLite's log, of which the header changes with every commit of every process.
//!
//! Its layout is part of SQLite's file format: <https://sqlite.org/walformat.html#the_wal_index_header>. Reading it takes
//! one system call and no lock, where `PRAGMA data_version` takes several of both.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::open_files::FileId;

/// The header is there twice, so that a reader finds out when it is being written.
const COPY_BYTES: usize = 48;
/// The version of the layout, the first number of the header.
const VERSION: u32 = 3_007_000;
/// Where the change counter, the mark of a header that is complete, and its checksum are.
const CHANGE: usize = 8;
const IS_INITIAL: usize = 12;
const CHECKSUM: usize = 40;

/// An open index.
#[derive(Debug)]
pub(super) struct LogIndex {
    /// Never closed: to close any descriptor of a file ends all locks that the process has on it, those of SQLite too.
    file: &'static File,
}

impl LogIndex {
    /// Opens the index for the rest of the process's life.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(|file| Self { file: Box::leak(Box::new(file)) })
    }

    pub(super) fn identity(&self) -> io::Result<FileId> {
        self.file.metadata().map(|file| FileId(file.dev(), file.ino()))
    }

    /// A number that moves with every commit. `None` while the header is written, or when it is not what this program
    /// knows.
    pub(super) fn generation(&self) -> Option<u128> {
        let mut header = [0; 2 * COPY_BYTES];
        self.file.read_exact_at(&mut header, 0).ok()?;
        read(&header)
    }
}

fn read(header: &[u8; 2 * COPY_BYTES]) -> Option<u128> {
    let (copy, other) = header.split_at(COPY_BYTES);
    let word = |at: usize| copy[at..].first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    if copy != other || word(0) != VERSION || copy[IS_INITIAL] != 1 {
        return None;
    }
    let (mut first, mut second) = (0_u32, 0_u32);
    for at in (0..CHECKSUM).step_by(8) {
        first = first.wrapping_add(word(at)).wrapping_add(second);
        second = second.wrapping_add(word(at + 4)).wrapping_add(first);
    }
    if (first, second) != (word(CHECKSUM), word(CHECKSUM + 4)) {
        return None;
    }
    // The counter moves with every commit and the checksum with everything else, such as a log that begins anew.
    Some(u128::from(word(CHANGE)) << 64 | u128::from(first) << 32 | u128::from(second))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_number_moves_with_every_commit_of_every_connection_and_with_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let open = || {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
            connection
        };
        let (one, two) = (open(), open());
        one.execute_batch("CREATE TABLE t (a)").unwrap();
        let index = LogIndex::open(&folder.path().join("a.db-shm")).unwrap();
        let mut seen = vec![index.generation().expect("it is complete")];
        for number in 0..2000 {
            let writer = if number % 2 == 0 { &one } else { &two };
            writer.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
            if number % 500 == 0 {
                writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            }
            if number % 700 == 0 {
                writer.execute_batch("VACUUM").unwrap();
            }
            let now = index.generation().expect("it is complete");
            assert!(!seen.contains(&now), "commit {number} repeats a number");
            seen.push(now);
            let counted: i64 = two.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap();
            one.execute_batch("BEGIN IMMEDIATE; DELETE FROM t; ROLLBACK").unwrap();
            assert_eq!((counted, index.generation()), (number + 1, Some(now)));
        }
    }

    #[test]
    fn a_header_that_is_being_written_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)").unwrap();
        let bytes = std::fs::read(folder.path().join("a.db-shm")).unwrap();
        let header: [u8; 2 * COPY_BYTES] = *bytes.first_chunk().unwrap();
        assert!(read(&header).is_some());
        for at in 0..header.len() {
            let mut torn = header;
            torn[at] ^= 1;
            assert_eq!(read(&torn), None, "byte {at}");
        }
        for at in 0..COPY_BYTES {
            let mut wrong = header;
            wrong[at] ^= 1;
            wrong[COPY_BYTES + at] ^= 1;
            assert_eq!(read(&wrong), None, "byte {at} of both");
        }
        assert_eq!(read(&[0; 2 * COPY_BYTES]), None);
    }
}
