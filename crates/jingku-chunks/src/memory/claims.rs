//! Claims on objects in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::backend::{Claim, ClaimWatch};
use crate::error::Result;
use crate::key::Key;

/// All living claims, by number.
#[derive(Default)]
pub(super) struct ClaimTable {
    table: Mutex<Table>,
    resumed: Condvar,
}

#[derive(Default)]
struct Table {
    claimed: BTreeMap<u64, Vec<Key>>,
    next: u64,
    paused: bool,
}

impl ClaimTable {
    pub(super) fn claim(self: &Arc<Self>) -> Box<dyn Claim> {
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        table.claimed.insert(number, Vec::new());
        Box::new(MemoryClaim { claims: Arc::clone(self), number })
    }

    pub(super) fn watch(self: &Arc<Self>) -> Box<dyn ClaimWatch> {
        Box::new(MemoryWatch { claims: Arc::clone(self), reported: BTreeMap::new(), pauses: false })
    }

    /// Code under the lock panics only when memory runs out, which ends the process.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_when_resumed(&self) -> MutexGuard<'_, Table> {
        let paused = |table: &mut Table| table.paused;
        self.resumed.wait_while(self.lock(), paused).unwrap_or_else(PoisonError::into_inner)
    }
}

struct MemoryClaim {
    claims: Arc<ClaimTable>,
    number: u64,
}

impl Claim for MemoryClaim {
    fn add(&self, keys: &[Key]) -> Result<()> {
        let mut table = self.claims.lock_when_resumed();
        table.claimed.entry(self.number).or_default().extend(keys);
        Ok(())
    }
}

impl Drop for MemoryClaim {
    fn drop(&mut self) {
        self.claims.lock().claimed.remove(&self.number);
    }
}

struct MemoryWatch {
    claims: Arc<ClaimTable>,
    /// Number of keys visited in each claim.
    reported: BTreeMap<u64, usize>,
    pauses: bool,
}

impl ClaimWatch for MemoryWatch {
    fn pause(&mut self, _: &[Key], visit: &mut dyn FnMut(Key)) -> Result<()> {
        self.resume();
        let mut table = self.claims.lock_when_resumed();
        table.paused = true;
        self.pauses = true;
        self.reported.retain(|number, _| table.claimed.contains_key(number));
        for (number, keys) in &table.claimed {
            let reported = self.reported.entry(*number).or_default();
            keys[*reported..].iter().copied().for_each(&mut *visit);
            *reported = keys.len();
        }
        Ok(())
    }

    fn resume(&mut self) {
        if std::mem::take(&mut self.pauses) {
            self.claims.lock().paused = false;
            self.claims.resumed.notify_all();
        }
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.resume();
    }
}
