//! Storage of whole objects.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::key::{Key, Kind};

/// How long a request to delete objects can take effect after it was prepared.
pub const DELETE_TIMEOUT: Duration = Duration::from_mins(2);

/// Stores whole objects under names derived from their content.
///
/// `tests/it/backends.rs` holds every implementation to these promises:
///
/// - **Atomic.** Every thread and process sees an object completely or not at all, also while it is written or
///   replaced. After a power cut, an object that was never synced may be present, missing or truncated.
/// - **Named by content.** All objects written under one key mean the same, so writing twice is harmless, also from
///   several machines at once. Nothing relies on exclusive conditional writes.
/// - **Concurrent.** Any number of threads may call every method.
pub trait Backend: Send + Sync + 'static {
    /// Stores a whole object. `existing` decides what happens if there is one already.
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome>;

    /// Begins an object that is too large for memory or whose key is not known yet. It is invisible until committed.
    fn stage(&self) -> Result<Box<dyn Stage>>;

    /// Opens an object for reading. Fails with `NotFound` if it does not exist.
    fn read(&self, key: Key) -> Result<Object>;

    /// Reads up to `length` bytes from `offset`, fewer at the end of the object. Fails with `NotFound` if it does not
    /// exist.
    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// Returns the length and the first bytes of an object. Fails with `NotFound` if it does not exist.
    fn head(&self, key: Key) -> Result<Head> {
        let Object { length, body } = self.read(key)?;
        let mut first = Vec::with_capacity(Head::FIRST_BYTES);
        let read = body.take(Head::FIRST_BYTES as u64).read_to_end(&mut first);
        read.map_err(|e| Error::object("read", key, e))?;
        Ok(Head { length, first })
    }

    /// Lists, unordered, the objects of a kind whose names begin with this byte. Listing by 256 prefixes keeps memory
    /// for a million objects below 1 MiB.
    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>>;

    /// Lists, unordered, all objects of a kind, or more than `max` of them.
    fn list_kind(&self, kind: Kind, max: usize) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for prefix in 0..=u8::MAX {
            keys.append(&mut self.list(kind, prefix)?);
            if keys.len() > max {
                break;
            }
        }
        Ok(keys)
    }

    /// Returns the lengths in bytes of those objects that exist.
    fn lengths(&self, keys: &[Key]) -> Result<Vec<(Key, u64)>> {
        let length = |key: &Key| match self.head(*key) {
            Err(Error::NotFound(_)) => None,
            head => Some(head.map(|head| (*key, head.length))),
        };
        keys.iter().filter_map(length).collect()
    }

    /// Deletes an object. Succeeds if it does not exist.
    fn delete(&self, key: Key) -> Result<()>;

    /// Deletes objects if `may` returns `true`; otherwise fails. It may be called several times. Returns whether no
    /// deletion takes effect later: `false` if a request was repeated because it got no answer.
    ///
    /// A backend over a network prepares the requests before it calls `may`, in such a way that the other side rejects
    /// them [`DELETE_TIMEOUT`] later. So a process that was suspended meanwhile cannot delete anything.
    fn delete_if(&self, keys: &[Key], may: &mut dyn FnMut() -> Result<bool>) -> Result<bool> {
        if !may()? {
            return Err(too_late());
        }
        keys.iter().try_for_each(|key| self.delete(*key))?;
        Ok(true)
    }

    /// Removes what interrupted writers left outside the objects and began before this Unix time. Returns how many there
    /// were. Does nothing where everything else finds and removes it.
    fn abort_uploads(&self, _before: i64) -> Result<u64> {
        Ok(0)
    }

    /// Returns how many threads one writer or reader uses: one per core, or more if they wait for a network.
    fn threads(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Returns after how many looks in a row that find nothing a writer stores chunks without looking, except for samples;
    /// `None` for never. It may then replace an object by an equal one, and count it as new. For backends where a look costs
    /// about as much as storing.
    fn misses_max(&self) -> Option<u64> {
        None
    }

    /// Makes every earlier write and deletion durable, by any writer: a writer also depends on chunks that another one
    /// wrote and has not synced yet.
    fn sync(&self) -> Result<()>;

    /// Creates an empty claim.
    fn claim(&self) -> Result<Box<dyn Claim>>;

    /// Creates a watch over the claims of all writers in all processes.
    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>>;
}

pub(crate) fn too_late() -> Error {
    Error::io("delete objects", io::Error::other("preparing it took too long, and writers continue"))
}

/// Takes the bytes of one object piece by piece. Dropping it discards them.
pub trait Stage: Send {
    /// Appends bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Names the object, with the promises of [`Backend::put`].
    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome>;
}

/// Creates and watches the claims for a store that several machines share.
pub trait Claims: Send + Sync + 'static {
    /// As [`Backend::claim`].
    fn claim(&self) -> Result<Box<dyn Claim>>;

    /// As [`Backend::watch_claims`].
    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>>;
}

/// What to do if the object exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Keep it: an acknowledged image may depend on it, and the new object is not durable yet.
    Keep,
    /// Replace it, because it is corrupted. The new object is durable before it takes the name.
    Replace,
}

/// The result of storing an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The object was stored.
    Stored,
    /// One existed and was kept. A backend that cannot tell answers `Stored`.
    Kept,
}

/// The start of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length of the whole object, in bytes.
    pub length: u64,
    /// Its first [`Head::FIRST_BYTES`] bytes, or all if it is shorter.
    pub first: Vec<u8>,
}

impl Head {
    /// Number of bytes returned: one chunk header.
    pub const FIRST_BYTES: usize = 16;
}

/// An object opened for reading.
pub struct Object {
    /// Length of the whole object, in bytes. Not verified against the body.
    pub length: u64,
    /// Its bytes.
    pub body: Box<dyn Read + Send>,
}

/// The objects that one writer depends on. Protects them from sweeps before an image references them, as
/// `docs/format/sweep.md` proves. Dropping the claim or ending the process releases them all.
pub trait Claim: Send + Sync {
    /// Adds objects, which need not exist. Waits while a sweep deletes.
    ///
    /// After this returns, a sweep has either deleted an object already or leaves it alone while the claim lives. Check
    /// *afterwards* whether the objects exist.
    fn add(&self, keys: &[Key]) -> Result<()>;

    /// Returns what the commit that makes the manifest live must verify; `None` if the claim cannot expire.
    fn ticket(&self) -> Option<ClaimTicket> {
        None
    }
}

/// Identifies a claim that can expire, and its state. The commit that makes a manifest live verifies in its transaction
/// that the claim still exists in this state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTicket {
    /// The claim.
    pub id: String,
    /// The number of its records.
    pub records: i64,
}

/// Reads and pauses all claims.
pub trait ClaimWatch: Send {
    /// Blocks additions of these keys, or of all keys, to all claims until [`resume`](Self::resume). Then visits every
    /// key added since the previous call. Keys of claims that ended meanwhile may be skipped.
    ///
    /// After an error nothing is paused, and visited keys may be visited again.
    fn pause(&mut self, keys: &[Key], visit: &mut dyn FnMut(Key)) -> Result<()>;

    /// Returns whether the pause is still in force and will be for some time. A pause in a database ends by itself, in
    /// case the sweeper has died.
    fn is_paused(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// Allows additions again, as does dropping the watch.
    fn resume(&mut self);
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*) -> $result:ty;)+) => {
        $(fn $method(&self, $($name: $type),*) -> $result {
            (**self).$method($($name),*)
        })+
    };
}

impl<B: Backend + ?Sized> Backend for Arc<B> {
    forward! {
        put(key: Key, object: &[u8], existing: Existing) -> Result<Outcome>;
        stage() -> Result<Box<dyn Stage>>;
        read(key: Key) -> Result<Object>;
        read_part(key: Key, offset: u64, length: usize) -> Result<Vec<u8>>;
        head(key: Key) -> Result<Head>;
        list(kind: Kind, prefix: u8) -> Result<Vec<Key>>;
        list_kind(kind: Kind, max: usize) -> Result<Vec<Key>>;
        lengths(keys: &[Key]) -> Result<Vec<(Key, u64)>>;
        delete(key: Key) -> Result<()>;
        delete_if(keys: &[Key], may: &mut dyn FnMut() -> Result<bool>) -> Result<bool>;
        abort_uploads(before: i64) -> Result<u64>;
        threads() -> usize;
        misses_max() -> Option<u64>;
        sync() -> Result<()>;
        claim() -> Result<Box<dyn Claim>>;
        watch_claims() -> Result<Box<dyn ClaimWatch>>;
    }
}
