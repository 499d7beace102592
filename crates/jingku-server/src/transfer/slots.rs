//! Transfer slots, shared fairly between accounts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jingku_catalog::AccountId;
use jingku_library::lock;

use crate::error::Error;

/// A number of slots that accounts share.
///
/// An account gets another slot while it holds fewer than are free. So one account gets at most half of them, and with 16
/// slots five accounts get at least one each.
pub(crate) struct Slots {
    count: usize,
    held: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// One slot, freed on drop.
pub(crate) struct Slot {
    account: AccountId,
    held: Arc<Mutex<HashMap<AccountId, usize>>>,
}

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, held: Arc::default() }
    }

    /// Takes a slot. Refuses with `Throttled` if the account gets none.
    pub(crate) fn take(&self, account: AccountId) -> Result<Slot, Error> {
        let mut held = lock(&self.held);
        let free = self.count - held.values().sum::<usize>();
        if held.get(&account).copied().unwrap_or(0) >= free {
            return Err(Error::Throttled);
        }
        *held.entry(account).or_default() += 1;
        Ok(Slot { account, held: Arc::clone(&self.held) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        if let Some(own) = held.get_mut(&self.account) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(slots: &Slots, account: i64) -> Vec<Slot> {
        std::iter::from_fn(|| slots.take(AccountId(account)).ok()).collect()
    }

    #[test]
    fn no_account_takes_all_slots() {
        let slots = Slots::new(16);
        let taken: Vec<_> = (1..=6).map(|account| take_all(&slots, account)).collect();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1, 1, 0]);
    }

    #[test]
    fn a_freed_slot_goes_to_an_account_that_holds_fewest() {
        let slots = Slots::new(4);
        let mut first = take_all(&slots, 1);
        let second = take_all(&slots, 2);
        let third = take_all(&slots, 3);
        assert_eq!((first.len(), second.len(), third.len()), (2, 1, 1));
        first.pop();
        assert!(slots.take(AccountId(1)).is_err());
        assert!(slots.take(AccountId(4)).is_ok());
        drop((first, second, third));
        assert_eq!(lock(&slots.held).len(), 0);
        assert_eq!(take_all(&slots, 1).len(), 2);
    }
}
