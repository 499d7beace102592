//! Backends for tests of this crate and others.

mod s3_server;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::{Backend, Claim, ClaimTicket, ClaimWatch, Existing, Head, Object, Outcome, Stage};
use crate::error::{Error, Result};
use crate::key::{Key, Kind};

pub use s3_server::{S3Fault, S3Server};

/// Calls that can be counted and made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Backend::put`]
    Put,
    /// [`Backend::stage`]
    Stage,
    /// [`Stage::write`]
    Write,
    /// [`Stage::commit`]
    Commit,
    /// [`Backend::read`]
    Read,
    /// [`Backend::head`]
    Head,
    /// [`Backend::list`]
    List,
    /// [`Backend::delete`]
    Delete,
    /// [`Backend::sync`]
    Sync,
    /// [`Backend::claim`] and [`Claim::add`]
    Claim,
    /// [`Backend::watch_claims`] and [`ClaimWatch::pause`]
    WatchClaims,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 11] = [
        Self::Put,
        Self::Stage,
        Self::Write,
        Self::Commit,
        Self::Read,
        Self::Head,
        Self::List,
        Self::Delete,
        Self::Sync,
        Self::Claim,
        Self::WatchClaims,
    ];
}

/// How a call fails. A failed call has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With [`Error::NoSpace`].
    NoSpace,
    /// With [`Error::Io`].
    Io,
}

/// Forwards calls to another backend, counts them, and injects faults.
///
/// It records what was written and deleted since the last sync, and can lose it as in a power cut.
pub struct Faulty<B> {
    inner: Arc<B>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: HashMap<Operation, u64>,
    /// Which calls fail, counted from 1, and how.
    plans: Vec<(Operation, RangeInclusive<u64>, Fault)>,
    /// Changes since the last sync, oldest first.
    unsynced: Vec<Change>,
}

struct Change {
    key: Key,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    /// Whether the bytes were durable before they took the name; the name was not.
    whole: bool,
}

impl<B: Backend> Faulty<B> {
    /// Wraps a backend without faults.
    pub fn new(inner: B) -> Self {
        Self { inner: Arc::new(inner), state: Arc::default() }
    }

    /// Makes one call of an operation fail; the next call is number 1.
    pub fn fail(&self, operation: Operation, call: u64, fault: Fault) {
        self.plan(operation, call..=call, fault);
    }

    /// Makes a call of an operation and all later ones fail, as on a full disk.
    pub fn fail_from(&self, operation: Operation, call: u64, fault: Fault) {
        self.plan(operation, call..=u64::MAX, fault);
    }

    /// Cancels all faults.
    pub fn recover(&self) {
        self.with(|state| state.plans.clear());
    }

    /// Returns the number of calls of an operation, failed ones included.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.with(|state| state.calls.get(&operation).copied().unwrap_or(0))
    }

    /// Undoes every change since the last successful sync, as a power cut may.
    pub fn lose_unsynced(&self) -> Result<()> {
        let unsynced = self.with(|state| std::mem::take(&mut state.unsynced));
        unsynced.into_iter().rev().try_for_each(|change| self.restore(change.key, change.before))
    }

    /// Undoes changes at random: of every object the earliest ones stay, and the last write that stays may be
    /// truncated.
    pub fn cut_power(&self, seed: u64) -> Result<()> {
        let mut random = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
        let mut below = |end: usize| {
            let mut bytes = [0; 4];
            random.fill(&mut bytes);
            u32::from_le_bytes(bytes) as usize % end
        };
        let mut histories = BTreeMap::<Key, Vec<Change>>::new();
        for change in self.with(|state| std::mem::take(&mut state.unsynced)) {
            histories.entry(change.key).or_default().push(change);
        }
        for (key, mut history) in histories {
            let kept = below(history.len() + 1);
            let object = match kept.checked_sub(1) {
                None => history.swap_remove(0).before,
                Some(last) => {
                    let Change { mut after, whole, .. } = history.swap_remove(last);
                    if let Some(bytes) = after.as_mut().filter(|_| !whole && below(2) == 0) {
                        bytes.truncate(below(bytes.len() + 1));
                    }
                    after
                }
            };
            self.restore(key, object)?;
        }
        Ok(())
    }

    fn restore(&self, key: Key, object: Option<Vec<u8>>) -> Result<()> {
        match object {
            Some(object) => self.inner.put(key, &object, Existing::Replace).map(drop),
            None => self.inner.delete(key),
        }
    }

    fn plan(&self, operation: Operation, calls: RangeInclusive<u64>, fault: Fault) {
        let done = self.calls(operation);
        let calls = done.saturating_add(*calls.start())..=done.saturating_add(*calls.end());
        self.with(|state| state.plans.push((operation, calls, fault)));
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(&self, operation: Operation) -> Result<()> {
        let (call, fault) = self.with(|state| {
            let calls = state.calls.entry(operation).or_default();
            *calls += 1;
            let plan = state.plans.iter().find(|(of, failed, _)| *of == operation && failed.contains(calls));
            (*calls, plan.map(|(.., fault)| *fault))
        });
        let doing = format!("do {operation:?} number {call}, as planned by a test");
        match fault {
            None => Ok(()),
            Some(Fault::NoSpace) => Err(Error::NoSpace { doing }),
            Some(Fault::Io) => Err(Error::Io { doing, source: io::Error::other("planned") }),
        }
    }

    /// Calls `put` and records how to undo it.
    fn put_recorded(
        &self,
        key: Key,
        existing: Existing,
        put: impl FnOnce() -> Result<Outcome>,
    ) -> Result<Outcome> {
        let before = self.bytes(key)?;
        let outcome = put()?;
        if outcome == Outcome::Stored {
            let after = self.bytes(key)?;
            let whole = existing == Existing::Replace;
            self.with(|state| state.unsynced.push(Change { key, before, after, whole }));
        }
        Ok(outcome)
    }

    fn bytes(&self, key: Key) -> Result<Option<Vec<u8>>> {
        let Object { mut body, .. } = match self.inner.read(key) {
            Err(Error::NotFound(_)) => return Ok(None),
            object => object?,
        };
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|e| Error::object("read", key, e))?;
        Ok(Some(bytes))
    }

    fn wrap<T: ?Sized>(&self, inner: Box<T>) -> Wrapped<T, B> {
        let backend = Self { inner: Arc::clone(&self.inner), state: Arc::clone(&self.state) };
        Wrapped { inner, backend }
    }
}

impl<B: Backend> Backend for Faulty<B> {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        self.enter(Operation::Put)?;
        self.put_recorded(key, existing, || self.inner.put(key, object, existing))
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        self.enter(Operation::Stage)?;
        Ok(Box::new(self.wrap(self.inner.stage()?)))
    }

    fn read(&self, key: Key) -> Result<Object> {
        self.enter(Operation::Read)?;
        self.inner.read(key)
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.enter(Operation::Read)?;
        self.inner.read_part(key, offset, length)
    }

    fn head(&self, key: Key) -> Result<Head> {
        self.enter(Operation::Head)?;
        self.inner.head(key)
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        self.enter(Operation::List)?;
        self.inner.list(kind, prefix)
    }

    fn delete(&self, key: Key) -> Result<()> {
        self.enter(Operation::Delete)?;
        let before = self.bytes(key)?;
        self.inner.delete(key)?;
        if before.is_some() {
            self.with(|state| state.unsynced.push(Change { key, before, after: None, whole: true }));
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.enter(Operation::Sync)?;
        // Taken before the call: concurrent writes are not promised to be durable.
        let recorded = self.with(|state| state.unsynced.len());
        self.inner.sync()?;
        self.with(|state| state.unsynced.drain(..recorded.min(state.unsynced.len())).for_each(drop));
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        self.enter(Operation::Claim)?;
        Ok(Box::new(self.wrap(self.inner.claim()?)))
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        self.enter(Operation::WatchClaims)?;
        Ok(Box::new(self.wrap(self.inner.watch_claims()?)))
    }
}

/// A stage, claim or watch of the wrapped backend.
struct Wrapped<T: ?Sized, B> {
    inner: Box<T>,
    backend: Faulty<B>,
}

impl<B: Backend> Claim for Wrapped<dyn Claim, B> {
    fn add(&self, keys: &[Key]) -> Result<()> {
        self.backend.enter(Operation::Claim)?;
        self.inner.add(keys)
    }

    fn ticket(&self) -> Option<ClaimTicket> {
        self.inner.ticket()
    }
}

impl<B: Backend> ClaimWatch for Wrapped<dyn ClaimWatch, B> {
    fn pause(&mut self, keys: &[Key], visit: &mut dyn FnMut(Key)) -> Result<()> {
        self.backend.enter(Operation::WatchClaims)?;
        self.inner.pause(keys, visit)
    }

    fn is_paused(&mut self) -> Result<bool> {
        self.inner.is_paused()
    }

    fn resume(&mut self) {
        self.inner.resume();
    }
}

impl<B: Backend> Stage for Wrapped<dyn Stage, B> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.backend.enter(Operation::Write)?;
        self.inner.write(bytes)
    }

    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome> {
        let Self { inner, backend } = *self;
        backend.enter(Operation::Commit)?;
        backend.put_recorded(key, existing, || inner.commit(key, existing))
    }
}
