//! Objects in memory, for tests and temporary servers.

mod claims;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::claims::ClaimTable;
use crate::backend::{Backend, Claim, ClaimWatch, Claims, Existing, Object, Outcome, Stage};
use crate::error::{Error, Result};
use crate::key::{Key, Kind};

/// Stores objects in memory. Clones share them.
#[derive(Clone, Default)]
pub struct Memory {
    objects: Arc<Mutex<BTreeMap<Key, Arc<[u8]>>>>,
    claims: Arc<ClaimTable>,
}

impl Memory {
    /// Creates an empty backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic leaves the map intact: the lock is only held for single map operations.
    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<[u8]>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn object(&self, key: Key) -> Result<Arc<[u8]>> {
        self.objects().get(&key).cloned().ok_or(Error::NotFound(key))
    }
}

impl Backend for Memory {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        let mut objects = self.objects();
        if existing == Existing::Keep && objects.contains_key(&key) {
            return Ok(Outcome::Kept);
        }
        objects.insert(key, object.into());
        Ok(Outcome::Stored)
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        Ok(Box::new(MemoryStage { memory: self.clone(), bytes: Vec::new() }))
    }

    fn read(&self, key: Key) -> Result<Object> {
        let bytes = self.object(key)?;
        Ok(Object { length: bytes.len() as u64, body: Box::new(Cursor::new(bytes)) })
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        let bytes = self.object(key)?;
        let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        Ok(bytes[start..bytes.len().min(start.saturating_add(length))].to_vec())
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        let listed = |key: &&Key| key.kind() == kind && key.prefix() == prefix;
        Ok(self.objects().keys().filter(listed).copied().collect())
    }

    fn delete(&self, key: Key) -> Result<()> {
        self.objects().remove(&key);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        Ok(self.claims.claim())
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        Ok(self.claims.watch())
    }
}

impl Claims for Memory {
    fn claim(&self) -> Result<Box<dyn Claim>> {
        Backend::claim(self)
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        Backend::watch_claims(self)
    }
}

struct MemoryStage {
    memory: Memory,
    bytes: Vec<u8>,
}

impl Stage for MemoryStage {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome> {
        self.memory.put(key, &self.bytes, existing)
    }
}
