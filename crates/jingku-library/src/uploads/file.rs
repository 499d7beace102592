//! One file on its way in.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use jingku_protocol::HashKind;
use jingku_sources::SparseWriter;

use super::hashed::Hashed;
use super::store::UploadLock;
use crate::disk_space::{DiskSpace, MARGIN_BYTES};
use crate::error::Internal;
use crate::failpoint;

/// How often it is looked whether there is room.
const ROOM_BYTES: u64 = 8 << 20;

/// What the catalogue says has come of a file.
pub struct Acknowledged {
    /// How many bytes.
    pub bytes: u64,
    /// State of the sparse hash of them.
    pub sparse_state: Option<String>,
}

/// A file that one request has for itself.
pub struct UploadFile {
    /// What is known is there while nothing goes wrong.
    lock: UploadLock,
    file: SparseWriter,
    looked_at: u64,
}

impl UploadFile {
    /// Opens a file, or creates it. What lies beyond what was acknowledged goes; where there is less than that, less has
    /// come. Reads what has come when this process does not know its hash of this kind.
    pub fn open(mut lock: UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> Result<Self, Internal> {
        let file = open(&mut lock, acknowledged, kind).map_err(Internal::UploadFile)?;
        let looked_at = lock.known.as_ref().map_or(0, |known| known.at);
        Ok(Self { lock, file, looked_at })
    }

    /// Tells whether opening a file has to read much of it.
    pub fn must_read(lock: &UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> bool {
        let known = lock.known.as_ref().is_some_and(|known| known.is(kind, acknowledged.bytes));
        let resumed = kind == HashKind::Sparse && acknowledged.sparse_state.is_some();
        acknowledged.bytes > 0 && !known && !resumed
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.lock.known.as_ref().map_or(0, |known| known.at)
    }

    /// The hash of what has come, in hexadecimal.
    pub fn hash(&self) -> String {
        self.lock.known.as_ref().map(|known| known.hasher.hash()).unwrap_or_default()
    }

    /// With what the hash is resumed after a restart, if it can be.
    pub fn sparse_state(&self) -> Option<String> {
        self.lock.known.as_ref()?.hasher.state()
    }

    /// Appends bytes. Returns `false` when there is no room for them; then none of them has come. After an error it is
    /// not known what has.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let at = self.received();
        if at >= self.looked_at + ROOM_BYTES {
            self.looked_at = at;
            if self.lock.disk_space.as_ref().is_some_and(is_used_up) {
                return Ok(false);
            }
        }
        match self.file.append(bytes) {
            Ok(()) => {
                if let Some(known) = &mut *self.lock.known {
                    known.hasher.update(bytes);
                    known.at += bytes.len() as u64;
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
            Err(error) => {
                *self.lock.known = None;
                Err(error)
            }
        }
    }

    /// Appends zeros.
    pub fn append_zeros(&mut self, count: u64) {
        self.file.skip(count);
        if let Some(known) = &mut *self.lock.known {
            known.hasher.zeros(count);
            known.at += count;
        }
    }

    /// Makes durable what has come. Returns how many bytes it takes up.
    pub fn sync(&mut self) -> io::Result<u64> {
        match self.file.sync() {
            Ok(stored_bytes) => {
                failpoint::reached("upload.bytes_durable");
                Ok(stored_bytes)
            }
            Err(error) => {
                *self.lock.known = None;
                Err(error)
            }
        }
    }

    /// What may be taken of what is free, in bytes.
    pub fn free_bytes(&self) -> u64 {
        let free = self.lock.disk_space.as_ref().and_then(|disk_space| disk_space.free_bytes().ok());
        free.unwrap_or(0).saturating_sub(MARGIN_BYTES)
    }
}

fn open(lock: &mut UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> io::Result<SparseWriter> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&lock.path)?;
    let (length, received) = (file.metadata()?.len(), acknowledged.bytes);
    let known = lock.known.take().filter(|known| known.is(kind, received) && length >= received);
    let known = if let Some(known) = known {
        known
    } else {
        if let Some(folder) = lock.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        // The state is that of all bytes.
        let state = acknowledged.sparse_state.as_deref().filter(|_| length >= received);
        Hashed::read(&file, received.min(length), kind, state)?
    };
    file.set_len(known.at)?;
    let at = known.at;
    *lock.known = Some(known);
    Ok(SparseWriter::new(file, at))
}

fn is_used_up(disk_space: &DiskSpace) -> bool {
    disk_space.free_bytes().is_ok_and(|free| free < MARGIN_BYTES)
}
