//! Where objects are kept.

mod claims;

use std::io::Read;
use std::sync::Arc;

use crate::error::Result;
use crate::key::{Key, Kind};

pub use self::claims::{Claim, ClaimWatch};

/// Keeps whole objects under names that say what is in them.
///
/// These are promises; `tests/it/backends.rs` holds every implementation to them.
///
/// - **Whole.** An object is seen completely or not at all, by every thread and process, also while it is put or replaced.
///   After a power cut an object that was never synced may be there, be missing, or be shortened.
/// - **Named by content.** All objects ever put under one key mean the same, so putting twice is harmless, also from
///   several machines at once. Nothing relies on a conditional write being exclusive.
/// - **Concurrent.** Every method may be called from any number of threads.
pub trait Backend: Send + Sync + 'static {
    /// Puts a whole object. What happens when there is one already is the caller's choice, see [`Existing`].
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome>;

    /// Begins an object that is too large for memory or whose key is not known yet. Invisible until committed.
    fn stage(&self) -> Result<Box<dyn Stage>>;

    /// Opens an object for reading from its start. Fails with `NotFound` when it does not exist.
    fn read(&self, key: Key) -> Result<Object>;

    /// Reads a part of an object, from its byte number `offset`: `length` bytes, or fewer where the object ends earlier.
    /// Fails with `NotFound` when it does not exist.
    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// Looks at the length and the first bytes of an object. Fails with `NotFound` when it does not exist.
    fn head(&self, key: Key) -> Result<Head>;

    /// Lists, in no order, the objects of a kind whose name begins with this byte. Callers go through the 256 prefixes,
    /// which keeps the memory for a million objects below 1 MiB.
    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>>;

    /// Removes an object. It is no error when there is none.
    fn delete(&self, key: Key) -> Result<()>;

    /// Makes durable every object that was visible before the call, whoever put it, and that every object deleted before
    /// stays away: a writer also depends on chunks that another one put and has not synced yet.
    fn sync(&self) -> Result<()>;

    /// Begins an empty claim.
    fn claim(&self) -> Result<Box<dyn Claim>>;

    /// Begins to watch the claims of every writer, in any process, for a sweep.
    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>>;
}

/// Takes the bytes of one object bit by bit. Dropping it leaves nothing behind.
pub trait Stage: Send {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Gives the object its name, with the promises of [`Backend::put`].
    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome>;
}

/// What to do with an object that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Leave it: an acknowledged image may rest on it, and the new object is not durable yet.
    Keep,
    /// Replace it, because it was found damaged. The new object is durable before it takes the name.
    Replace,
}

/// What putting an object did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The object was stored.
    Stored,
    /// One was there already and stays. A backend that cannot know answers `Stored`.
    Kept,
}

/// The beginning of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length of the whole object, in bytes.
    pub length: u64,
    /// Its first [`Head::FIRST_BYTES`] bytes, or all of them when it is shorter.
    pub first: Vec<u8>,
}

impl Head {
    /// Length of what is looked at, in bytes: one chunk header.
    pub const FIRST_BYTES: usize = 16;
}

/// An object opened for reading.
pub struct Object {
    /// Length of the whole object, in bytes. Nothing that is read may be trusted to agree with it.
    pub length: u64,
    /// Its bytes.
    pub body: Box<dyn Read + Send>,
}

/// A shared backend is a backend, so that a test keeps hold of what it gave to a store.
impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        (**self).put(key, object, existing)
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        (**self).stage()
    }

    fn read(&self, key: Key) -> Result<Object> {
        (**self).read(key)
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        (**self).read_part(key, offset, length)
    }

    fn head(&self, key: Key) -> Result<Head> {
        (**self).head(key)
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        (**self).list(kind, prefix)
    }

    fn delete(&self, key: Key) -> Result<()> {
        (**self).delete(key)
    }

    fn sync(&self) -> Result<()> {
        (**self).sync()
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        (**self).claim()
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        (**self).watch_claims()
    }
}
