//! A backend that reaches a failpoint after every durable step.

use jingku_chunks::{Backend, Claim, ClaimWatch, Existing, Head, Key, Kind, Object, Outcome, Result, Stage};

use super::reached;

/// The store of a data directory in a debug build.
pub(crate) struct FailpointBackend<B>(pub(crate) B);

impl<B: Backend> Backend for FailpointBackend<B> {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        let outcome = self.0.put(key, object, existing)?;
        put(key);
        Ok(outcome)
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        Ok(Box::new(FailpointStage(self.0.stage()?)))
    }

    fn read(&self, key: Key) -> Result<Object> {
        self.0.read(key)
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.0.read_part(key, offset, length)
    }

    fn head(&self, key: Key) -> Result<Head> {
        self.0.head(key)
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        self.0.list(kind, prefix)
    }

    fn delete(&self, key: Key) -> Result<()> {
        self.0.delete(key)?;
        deleted(key);
        Ok(())
    }

    fn list_kind(&self, kind: Kind, max: usize) -> Result<Vec<Key>> {
        self.0.list_kind(kind, max)
    }

    fn lengths(&self, keys: &[Key]) -> Result<Vec<(Key, u64)>> {
        self.0.lengths(keys)
    }

    fn delete_if(&self, keys: &[Key], may: &mut dyn FnMut() -> Result<bool>) -> Result<bool> {
        // One by one, to reach the failpoint between two deletions.
        let mut ended = true;
        for key in keys {
            ended &= self.0.delete_if(&[*key], may)?;
            deleted(*key);
        }
        Ok(ended)
    }

    fn abort_uploads(&self, before: i64) -> Result<u64> {
        self.0.abort_uploads(before)
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn misses_max(&self) -> Option<u64> {
        self.0.misses_max()
    }

    fn sync(&self) -> Result<()> {
        self.0.sync()?;
        reached("store.synced");
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        self.0.claim()
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        self.0.watch_claims()
    }
}

struct FailpointStage(Box<dyn Stage>);

impl Stage for FailpointStage {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write(bytes)
    }

    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome> {
        let outcome = self.0.commit(key, existing)?;
        put(key);
        Ok(outcome)
    }
}

fn deleted(key: Key) {
    match key {
        Key::Chunk(_) => reached("store.chunk_deleted"),
        Key::Manifest(_) => reached("store.manifest_deleted"),
        Key::QuarantineMark(_) => reached("store.note_deleted"),
    }
}

fn put(key: Key) {
    match key {
        Key::Chunk(_) => reached("store.chunk_put"),
        Key::Manifest(_) => reached("store.manifest_put"),
        Key::QuarantineMark(_) => reached("store.note_put"),
    }
}
