//! Places for transfers, shared between accounts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jingku_catalog::AccountId;
use jingku_library::lock;

use crate::error::Error;

/// A number of places that accounts share.
///
/// An account gets another place while it holds fewer than are free. So an account that is alone gets half of them, and
/// of 16 places five accounts get one at least, whatever the others do.
pub(crate) struct Slots {
    count: usize,
    held: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// A place, free again when this is dropped.
pub(crate) struct Slot {
    account: AccountId,
    held: Arc<Mutex<HashMap<AccountId, usize>>>,
}

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, held: Arc::default() }
    }

    /// Takes a place. Refuses with `Throttled` when there is none for this account.
    pub(crate) fn take(&self, account: AccountId) -> Result<Slot, Error> {
        let mut held = lock(&self.held);
        let free = self.count - held.values().sum::<usize>();
        let own = held.entry(account).or_default();
        if *own >= free {
            if *own == 0 {
                held.remove(&account);
            }
            return Err(Error::Throttled);
        }
        *own += 1;
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
    fn no_account_takes_every_place() {
        let slots = Slots::new(16);
        let taken: Vec<_> = (1..=6).map(|account| take_all(&slots, account)).collect();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1, 1, 0]);
    }

    #[test]
    fn a_place_that_was_given_back_is_for_whoever_holds_fewest() {
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
