//! The order of the images that are shared with an account, in memory (ADR 26).

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::database::Value;
use crate::{AccountId, Paging};

/// Maximum of orders in memory, in bytes. An order of more is read again for every page.
pub(crate) const KEPT_BYTES_MAX: u64 = 16 << 20;
/// The cache sizes its tables for so many lists. Few, so that one list may take all the space.
const LISTS: usize = 16;
/// Weight of an entry besides its text, and of a list.
const ENTRY_BYTES: usize = size_of::<Place>() + 32;
/// The place of an image in the list: its creation time, its ordinal, and its id.
pub(super) type Place = (i64, i64, Box<str>);

/// The images shared with an account in some zones, in ascending order.
pub(crate) struct SharedOrder {
    /// `accounts.shares_changed` when it was read.
    pub(super) changed: i64,
    pub(super) places: Vec<Place>,
}

/// The account and, as a text, the zones.
pub(super) type ListKey = (AccountId, String);

/// The orders of shared images, bounded by bytes.
pub(crate) struct SharedOrders(pub(super) Cache<ListKey, Arc<SharedOrder>, Weight>);

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<ListKey, Arc<SharedOrder>> for Weight {
    fn weight(&self, (_, zones): &ListKey, order: &Arc<SharedOrder>) -> u64 {
        let ids: usize = order.places.iter().map(|(.., id)| id.len()).sum();
        (ENTRY_BYTES * (1 + order.places.len()) + ids + zones.len()) as u64
    }
}

impl Default for SharedOrders {
    fn default() -> Self {
        Self(Cache::with_weighter(LISTS, KEPT_BYTES_MAX, Weight))
    }
}

impl SharedOrder {
    /// The index after the newest image of a page. `None` for a token of an old format.
    pub(super) fn end(&self, paging: Paging<'_>) -> Option<usize> {
        match paging {
            Paging::Offset { offset, .. } => Some(self.places.len().saturating_sub(offset as usize)),
            Paging::After { cursor, .. } => {
                let [Value::Integer(time), Value::Integer(ordinal)] = cursor.values()? else {
                    return None;
                };
                Some(self.places.partition_point(|place| (place.0, place.1) < (*time, *ordinal)))
            }
        }
    }
}
