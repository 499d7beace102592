//! The index of SQLite's log. Its header changes with every commit of every process.
//!
//! Its layout is part of SQLite's file format: <https://sqlite.org/walformat.html#the_wal_index_header>. Reading it takes
//! one system call and no lock; `PRAGMA data_version` takes several of both.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The header is stored twice, so that a reader detects a write in progress.
const COPY_BYTES: usize = 48;
/// The layout version, the first number of the header.
const VERSION: u32 = 3_007_000;
/// Offsets of the change counter, the "initialized" flag and the checksum.
const CHANGE: usize = 8;
const IS_INITIAL: usize = 12;
const CHECKSUM: usize = 40;

/// Opens the index for the lifetime of the process: closing any descriptor of a file drops all POSIX locks of the process
/// on it, including SQLite's.
pub(super) fn open(path: &Path) -> io::Result<&'static File> {
    File::open(path).map(|file| &*Box::leak(Box::new(file)))
}

/// Returns a number that changes with every commit; `None` while the header is being written, or if its version is
/// unknown.
pub(super) fn generation(index: &File) -> Option<u128> {
    let mut header = [0; 2 * COPY_BYTES];
    index.read_exact_at(&mut header, 0).ok()?;
    read(&header)
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
    // The counter changes with every commit, and the checksum with everything else, such as a restarted log.
    Some(u128::from(word(CHANGE)) << 64 | u128::from(first) << 32 | u128::from(second))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_number_changes_exactly_with_commits_of_any_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connect = || {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
            connection
        };
        let (one, two) = (connect(), connect());
        one.execute_batch("CREATE TABLE t (a)").unwrap();
        let index = open(&folder.path().join("a.db-shm")).unwrap();
        let mut seen = vec![generation(index).expect("it is complete")];
        for number in 0..2000 {
            let writer = if number % 2 == 0 { &one } else { &two };
            writer.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
            if number % 500 == 0 {
                writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            }
            if number % 700 == 0 {
                writer.execute_batch("VACUUM").unwrap();
            }
            let now = generation(index).expect("it is complete");
            assert!(!seen.contains(&now), "commit {number} repeats a number");
            seen.push(now);
            let counted: i64 = two.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap();
            one.execute_batch("BEGIN IMMEDIATE; DELETE FROM t; ROLLBACK").unwrap();
            assert_eq!((counted, generation(index)), (number + 1, Some(now)));
        }
    }

    #[test]
    fn a_header_being_written_is_not_read() {
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
