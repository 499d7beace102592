//! A backend that fails when told to, for tests here and above.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Backend, Existing, Head, Object, Outcome, Stage};
use crate::error::{Error, Result};
use crate::key::{Key, Kind};

/// The calls that can be counted and made to fail.
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
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::Put,
        Self::Stage,
        Self::Write,
        Self::Commit,
        Self::Read,
        Self::Head,
        Self::List,
        Self::Delete,
        Self::Sync,
    ];
}

/// How a call fails. It then has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With [`Error::NoSpace`].
    NoSpace,
    /// With [`Error::Io`].
    Io,
}

/// Passes every call on to another backend, counts it, and fails those it was told to.
///
/// It also remembers what was put since the last sync, and can lose it as a power cut would.
pub struct Faulty<B> {
    inner: Arc<B>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: HashMap<Operation, u64>,
    plans: Vec<Plan>,
    /// What was put since the last sync, oldest first, with what was there before.
    unsynced: Vec<(Key, Option<Vec<u8>>)>,
}

struct Plan {
    operation: Operation,
    first_call: u64,
    last_call: u64,
    fault: Fault,
}

impl<B: Backend> Faulty<B> {
    /// Wraps a backend, and fails nothing yet.
    pub fn new(inner: B) -> Self {
        Self { inner: Arc::new(inner), state: Arc::default() }
    }

    /// Makes one call of an operation fail: the first from now on is number 1.
    pub fn fail(&self, operation: Operation, call: u64, fault: Fault) {
        self.plan(operation, call, call, fault);
    }

    /// Makes a call of an operation fail, and every later one, as on a disk that is full.
    pub fn fail_from(&self, operation: Operation, call: u64, fault: Fault) {
        self.plan(operation, call, u64::MAX, fault);
    }

    /// Fails nothing from now on.
    pub fn recover(&self) {
        self.with(|state| state.plans.clear());
    }

    /// Returns how often an operation was called, failed calls included.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.with(|state| state.calls.get(&operation).copied().unwrap_or(0))
    }

    /// Undoes every put since the last sync that worked, as a power cut may.
    pub fn lose_unsynced(&self) -> Result<()> {
        let unsynced = self.with(|state| std::mem::take(&mut state.unsynced));
        for (key, before) in unsynced.into_iter().rev() {
            match before {
                Some(object) => self.inner.put(key, &object, Existing::Replace).map(drop)?,
                None => self.inner.delete(key)?,
            }
        }
        Ok(())
    }

    fn plan(&self, operation: Operation, first: u64, last: u64, fault: Fault) {
        self.with(|state| {
            let calls = state.calls.get(&operation).copied().unwrap_or(0);
            let (first_call, last_call) = (calls.saturating_add(first), calls.saturating_add(last));
            state.plans.push(Plan { operation, first_call, last_call, fault });
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(&self, operation: Operation) -> Result<()> {
        self.with(|state| state.enter(operation))
    }

    /// Puts through `put`, and notes how to undo it.
    fn put_noted(&self, key: Key, put: impl FnOnce() -> Result<Outcome>) -> Result<Outcome> {
        let mut before = None;
        if let Ok(Object { mut body, .. }) = self.inner.read(key) {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(|e| Error::object("read", key, e))?;
            before = Some(bytes);
        }
        let outcome = put()?;
        if outcome == Outcome::Stored {
            self.with(|state| state.unsynced.push((key, before)));
        }
        Ok(outcome)
    }

    fn share(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), state: Arc::clone(&self.state) }
    }
}

impl State {
    fn enter(&mut self, operation: Operation) -> Result<()> {
        let calls = self.calls.entry(operation).or_default();
        *calls += 1;
        let call = *calls;
        let planned =
            |plan: &&Plan| plan.operation == operation && (plan.first_call..=plan.last_call).contains(&call);
        let doing = || format!("do {operation:?} number {call}, as planned by a test");
        match self.plans.iter().find(planned).map(|plan| plan.fault) {
            None => Ok(()),
            Some(Fault::NoSpace) => Err(Error::NoSpace { doing: doing() }),
            Some(Fault::Io) => Err(Error::Io { doing: doing(), source: io::Error::other("planned") }),
        }
    }
}

impl<B: Backend> Backend for Faulty<B> {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        self.enter(Operation::Put)?;
        self.put_noted(key, || self.inner.put(key, object, existing))
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        self.enter(Operation::Stage)?;
        Ok(Box::new(FaultyStage { inner: self.inner.stage()?, backend: self.share() }))
    }

    fn read(&self, key: Key) -> Result<Object> {
        self.enter(Operation::Read)?;
        self.inner.read(key)
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
        self.inner.delete(key)
    }

    fn sync(&self) -> Result<()> {
        self.enter(Operation::Sync)?;
        // Noted before the call: what is put meanwhile is not promised to be durable.
        let noted = self.with(|state| state.unsynced.len());
        self.inner.sync()?;
        self.with(|state| state.unsynced.drain(..noted.min(state.unsynced.len())).for_each(drop));
        Ok(())
    }
}

struct FaultyStage<B> {
    inner: Box<dyn Stage>,
    backend: Faulty<B>,
}

impl<B: Backend> Stage for FaultyStage<B> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.backend.enter(Operation::Write)?;
        self.inner.write(bytes)
    }

    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome> {
        let Self { inner, backend } = *self;
        backend.enter(Operation::Commit)?;
        backend.put_noted(key, || inner.commit(key, existing))
    }
}
