//! Claims as append-only files, one each, in the folder of the session.
//!
//! A record is a byte for the kind and the 32 bytes of the name. It is appended under a shared `flock` of the folder
//! `chunks`, which a sweep locks exclusively. Claims need not survive a power cut: no writer does.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;

use super::folder::if_found;
use super::session::Session;
use crate::backend::{Claim, ClaimWatch};
use crate::error::{Error, Result};
use crate::key::{Key, Kind};

/// Distinguishes claims from objects being written.
const NAME_PREFIX: &str = "claim-";
const RECORD_BYTES: usize = 33;
const READ_BYTES: usize = RECORD_BYTES << 11;
/// The kinds of object in their order; the byte in a record counts from 1.
const KINDS: [Kind; 3] = [Kind::Chunk, Kind::Manifest, Kind::QuarantineMark];

/// The claim of a read-only store, which cannot record anything.
pub(super) struct NoClaim;

impl Claim for NoClaim {
    fn add(&self, _: &[Key]) -> Result<()> {
        Ok(())
    }
}

pub(super) struct DiskClaim {
    /// `None` once a record was not written completely: later records would be unreadable.
    journal: Mutex<Option<File>>,
    gate: File,
    path: PathBuf,
    _session: Arc<Session>,
}

impl DiskClaim {
    pub(super) fn start(session: &Arc<Session>, gate: &Path) -> Result<Self> {
        let start = || {
            let (file, path) = session.create_file(NAME_PREFIX)?;
            let journal = Mutex::new(Some(file));
            Ok(Self { journal, gate: File::open(gate)?, path, _session: Arc::clone(session) })
        };
        start().map_err(|e| Error::io("begin a claim", e))
    }

    fn append(&self, records: &[u8]) -> io::Result<()> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = journal.as_mut() else {
            return Err(io::Error::other("an earlier object could not be claimed"));
        };
        lock(&self.gate, FlockOperation::LockShared)?;
        // Other processes read the file through the same kernel, so they see the bytes without a sync.
        let written = file.write_all(records);
        if written.is_err() {
            *journal = None;
        }
        lock(&self.gate, FlockOperation::Unlock)?;
        written
    }
}

impl Claim for DiskClaim {
    fn add(&self, keys: &[Key]) -> Result<()> {
        let records: Vec<u8> = keys.iter().flat_map(encode).collect();
        self.append(&records).map_err(|e| match keys {
            [key] => Error::io(format!("claim {key}"), e),
            _ => Error::io(format!("claim {} objects", keys.len()), e),
        })
    }
}

impl Drop for DiskClaim {
    fn drop(&mut self) {
        // A file that stays keeps some garbage until the session's folder is removed.
        let _ = fs::remove_file(&self.path);
    }
}

pub(super) struct DiskWatch {
    tmp: PathBuf,
    gate: File,
    /// Offset of the next record in each file.
    reported: HashMap<PathBuf, u64>,
}

impl DiskWatch {
    pub(super) fn start(tmp: PathBuf, gate: &Path) -> io::Result<Self> {
        Ok(Self { tmp, gate: File::open(gate)?, reported: HashMap::new() })
    }

    fn read(&mut self, visit: &mut dyn FnMut(Key)) -> io::Result<()> {
        let mut reported = HashMap::new();
        // A copy of the store may lack this empty folder.
        for session in if_found(fs::read_dir(&self.tmp))?.into_iter().flatten() {
            let files = match fs::read_dir(session?.path()) {
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
                files => files?,
            };
            for file in files {
                let file = file?;
                if !file.file_name().to_string_lossy().starts_with(NAME_PREFIX) {
                    continue;
                }
                let path = file.path();
                let from = self.reported.get(&path).copied().unwrap_or(0);
                // Otherwise the claim has just ended.
                if let Some(to) = if_found(read_records(&path, from, visit))? {
                    reported.insert(path, to);
                }
            }
        }
        self.reported = reported;
        Ok(())
    }
}

impl ClaimWatch for DiskWatch {
    fn pause(&mut self, _: &[Key], visit: &mut dyn FnMut(Key)) -> Result<()> {
        let paused = lock(&self.gate, FlockOperation::LockExclusive);
        paused.and_then(|()| self.read(visit)).map_err(|e| {
            self.resume();
            Error::io("read the claims of writers", e)
        })
    }

    fn resume(&mut self) {
        // Cannot fail for an open descriptor, and dropping closes it, which unlocks as well.
        let _ = self.gate.unlock();
    }
}

/// Visits the records from an offset on and returns the offset of the next one.
fn read_records(path: &Path, from: u64, visit: &mut dyn FnMut(Key)) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = Vec::with_capacity(READ_BYTES);
    let mut at = from;
    loop {
        buffer.clear();
        (&file).take(READ_BYTES as u64).read_to_end(&mut buffer)?;
        // A writer on a full disk may leave a partial record; it depends on nothing after it.
        let (records, _) = buffer.as_chunks::<RECORD_BYTES>();
        for record in records {
            visit(decode(record)?);
        }
        at += (records.len() * RECORD_BYTES) as u64;
        if buffer.len() < READ_BYTES {
            return Ok(at);
        }
    }
}

fn encode(key: &Key) -> [u8; RECORD_BYTES] {
    let (kind, name) = key.parts();
    let mut record = [kind as u8 + 1; RECORD_BYTES];
    record[1..].copy_from_slice(name);
    record
}

fn decode(record: &[u8; RECORD_BYTES]) -> io::Result<Key> {
    let [tag, name @ ..] = *record;
    let kind = usize::from(tag).checked_sub(1).and_then(|place| KINDS.get(place));
    let invalid = || io::Error::new(ErrorKind::InvalidData, "a claim contains an invalid record");
    kind.map(|kind| Key::new(*kind, name)).ok_or_else(invalid)
}

/// A signal handler of the program must not look like a failure.
fn lock(gate: &File, operation: FlockOperation) -> io::Result<()> {
    Ok(retry_on_intr(|| flock(gate, operation))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ChunkId, ManifestId};

    #[test]
    fn partial_record_is_read_once_complete() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("claim-0");
        let keys = [Key::Chunk(ChunkId([7; 32])), Key::Manifest(ManifestId([8; 32]))];
        let bytes = keys.each_ref().map(encode).concat();
        let mut reported = Vec::new();
        fs::write(&path, &bytes[..40]).unwrap();
        let at = read_records(&path, 0, &mut |key| reported.push(key)).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read_records(&path, at, &mut |key| reported.push(key)).unwrap(), 66);
        assert_eq!(reported, keys);
    }

    #[test]
    fn many_records_are_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("claim-0");
        fs::write(&path, encode(&Key::Chunk(ChunkId([7; 32]))).repeat(5000)).unwrap();
        let mut count = 0;
        assert_eq!(read_records(&path, 0, &mut |_| count += 1).unwrap(), 5000 * 33);
        assert_eq!(count, 5000);
    }
}
