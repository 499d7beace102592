//! An uploaded file that one request appends to.

use std::io;

use jingku_protocol::HashKind;
use jingku_sources::SparseWriter;

use super::hashed::Hashed;
use super::store::UploadLock;
use crate::disk_space::{DiskSpace, MARGIN_BYTES};
use crate::error::Internal;
use crate::{durable, failpoint};

/// How often the free space is checked, in bytes.
const SPACE_CHECK_BYTES: u64 = 8 << 20;

/// The acknowledged state of a file in the catalogue.
pub struct Acknowledged {
    /// Received bytes.
    pub bytes: u64,
    /// State of their sparse hash.
    pub sparse_state: Option<String>,
}

/// A file that one request has locked.
pub struct UploadFile {
    /// Its `known` is `None` only after an error.
    lock: UploadLock,
    file: SparseWriter,
    checked_at: u64,
}

impl UploadFile {
    /// Opens a file, or creates it. Removes bytes that were not acknowledged. If acknowledged bytes are missing, fewer count
    /// as received. Reads the file if this process does not know its hash of this kind.
    pub fn open(mut lock: UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> Result<Self, Internal> {
        let file = open(&mut lock, acknowledged, kind).map_err(Internal::UploadFile)?;
        let checked_at = lock.known.as_ref().map_or(0, |known| known.at);
        Ok(Self { lock, file, checked_at })
    }

    /// Whether opening a file reads much of it.
    pub fn must_read(lock: &UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> bool {
        let known = lock.known.as_ref().is_some_and(|known| known.is(kind, acknowledged.bytes));
        let resumed = kind == HashKind::Sparse && acknowledged.sparse_state.is_some();
        acknowledged.bytes > 0 && !known && !resumed
    }

    /// The received bytes.
    pub fn received(&self) -> u64 {
        self.lock.known.as_ref().map_or(0, |known| known.at)
    }

    /// The hash of the received bytes, in hexadecimal.
    pub fn hash(&self) -> String {
        self.lock.known.as_ref().map(|known| known.hasher.hash()).unwrap_or_default()
    }

    /// The state to resume the hash after a restart, if that is possible.
    pub fn sparse_state(&self) -> Option<String> {
        self.lock.known.as_ref()?.hasher.state()
    }

    /// Appends bytes. Returns `false` if the disk is full; then none were appended. After an error, the state is unknown.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let at = self.received();
        if at >= self.checked_at + SPACE_CHECK_BYTES {
            self.checked_at = at;
            if self.lock.disk_space.as_ref().is_some_and(DiskSpace::is_full) {
                return Ok(false);
            }
        }
        match self.file.append(bytes) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(false),
            appended => appended.inspect_err(|_| *self.lock.known = None)?,
        }
        if let Some(known) = &mut *self.lock.known {
            known.hasher.update(bytes);
            known.at += bytes.len() as u64;
        }
        Ok(true)
    }

    /// Appends zeros.
    pub fn append_zeros(&mut self, count: u64) {
        self.file.skip(count);
        if let Some(known) = &mut *self.lock.known {
            known.hasher.zeros(count);
            known.at += count;
        }
    }

    /// Makes the received bytes durable. Returns the space that they occupy.
    pub fn sync(&mut self) -> io::Result<u64> {
        let stored_bytes = self.file.sync().inspect_err(|_| *self.lock.known = None)?;
        failpoint::reached("upload.bytes_durable");
        Ok(stored_bytes)
    }

    /// The free space that uploads may use, in bytes.
    pub fn free_bytes(&self) -> u64 {
        let free = self.lock.disk_space.as_ref().and_then(|disk_space| disk_space.free_bytes().ok());
        free.unwrap_or(0).saturating_sub(MARGIN_BYTES)
    }
}

fn open(lock: &mut UploadLock, acknowledged: &Acknowledged, kind: HashKind) -> io::Result<SparseWriter> {
    let file =
        durable::private_file().read(true).write(true).create(true).truncate(false).open(&lock.path)?;
    let (length, received) = (file.metadata()?.len(), acknowledged.bytes);
    let known = lock.known.take().filter(|known| known.is(kind, received) && length >= received);
    let known = if let Some(known) = known {
        known
    } else {
        durable::sync_parent(&lock.path)?;
        // The state covers all acknowledged bytes.
        let state = acknowledged.sparse_state.as_deref().filter(|_| length >= received);
        Hashed::read(&file, received.min(length), kind, state)?
    };
    file.set_len(known.at)?;
    let at = known.at;
    *lock.known = Some(known);
    Ok(SparseWriter::new(file, at))
}
