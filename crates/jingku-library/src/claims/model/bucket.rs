//! A bucket in memory, as several machines see it.

use std::sync::{Arc, Mutex};

use jingku_chunks::{
    Backend, Claim, ClaimWatch, Claims, Error, Existing, Head, Key, Kind, Memory, Object, Outcome, Result,
    Stage,
};

use super::super::CatalogClaims;
use crate::lock::lock;

/// The bucket: objects in memory, and deletions whose requests are on their way.
#[derive(Clone, Default)]
pub(super) struct Objects {
    pub(super) memory: Memory,
    pub(super) late: Arc<Mutex<Vec<Key>>>,
    /// Whether the next deletions get no answer.
    pub(super) loses_answers: Arc<Mutex<bool>>,
}

/// The bucket as one machine sees it.
pub(super) struct Machine {
    pub(super) objects: Objects,
    pub(super) claims: CatalogClaims,
    /// See [`Backend::misses_max`].
    pub(super) misses_max: Option<u64>,
}

impl Backend for Machine {
    fn put(&self, key: Key, object: &[u8], _: Existing) -> Result<Outcome> {
        self.objects.memory.put(key, object, Existing::Replace)
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        self.objects.memory.stage()
    }

    fn read(&self, key: Key) -> Result<Object> {
        self.objects.memory.read(key)
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.objects.memory.read_part(key, offset, length)
    }

    fn head(&self, key: Key) -> Result<Head> {
        self.objects.memory.head(key)
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        self.objects.memory.list(kind, prefix)
    }

    fn delete(&self, key: Key) -> Result<()> {
        self.objects.memory.delete(key)
    }

    fn delete_if(&self, keys: &[Key], may: &mut dyn FnMut() -> Result<bool>) -> Result<bool> {
        if !may()? {
            return Err(Error::Settings("too late".into()));
        }
        let is_late = std::mem::take(&mut *lock(&self.objects.loses_answers));
        if is_late {
            let mut late = lock(&self.objects.late);
            late.extend(keys);
            // Otherwise the repeated requests are answered.
            if late.len().is_multiple_of(2) {
                return Err(Error::Settings("no answer".into()));
            }
        }
        keys.iter().try_for_each(|key| self.delete(*key))?;
        Ok(!is_late)
    }

    fn threads(&self) -> usize {
        1
    }

    fn misses_max(&self) -> Option<u64> {
        self.misses_max
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        self.claims.claim()
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        self.claims.watch_claims()
    }
}
