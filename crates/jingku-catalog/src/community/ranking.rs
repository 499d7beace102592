//! The order of the groups of a list in memory (ADR 26).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::group::{GroupOrder, Place};
use crate::Paging;

/// Maximum of orders in memory, in bytes. An order of more is read again for every page.
pub(crate) const KEPT_BYTES_MAX: u64 = 16 << 20;
/// The cache sizes its tables for so many orders. Few, so that one may take all the space.
const LISTS: usize = 16;
/// Weight of a group: its place, twice, and its id.
const GROUP_BYTES: usize = 2 * size_of::<Place>() + 64;
/// Weight of an order besides its groups and its key.
const LIST_BYTES: usize = 512;

/// A group's id, when it changed last, whether it is listed, and the numbers of its place.
pub(super) type Change = (String, i64, bool, i64, i64, i64);

/// All groups of a list, in ascending order.
#[derive(Default)]
pub(super) struct Ranking {
    /// The highest `image_groups.changed` that it contains.
    changed: i64,
    sorted: Vec<Place>,
    numbers: HashMap<Arc<str>, [i64; 3]>,
}

/// How often the catalogue returned to a snapshot; the sort field, conditions and their parameters as a text.
type ListKey = (u64, String);

/// The orders of groups, bounded by bytes.
pub(crate) struct GroupOrders {
    pub(super) kept: Cache<ListKey, Arc<Mutex<Ranking>>, Weight>,
    epoch: AtomicU64,
}

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<ListKey, Arc<Mutex<Ranking>>> for Weight {
    fn weight(&self, (_, key): &ListKey, ranking: &Arc<Mutex<Ranking>>) -> u64 {
        (LIST_BYTES + key.len() + GROUP_BYTES * lock(ranking).sorted.len()) as u64
    }
}

impl Default for GroupOrders {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(LISTS, KEPT_BYTES_MAX, Weight), epoch: AtomicU64::new(0) }
    }
}

impl GroupOrders {
    /// Forgets all orders, also those that are being read.
    pub(crate) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.kept.clear();
    }

    pub(super) fn key(&self, list: String) -> ListKey {
        (self.epoch.load(Ordering::SeqCst), list)
    }
}

/// A page of an order.
pub(super) struct Places {
    /// The highest `image_groups.changed` of the order.
    pub(super) changed: i64,
    pub(super) total: usize,
    pub(super) rows: Vec<Place>,
    pub(super) continues: bool,
}

impl Ranking {
    pub(super) fn new(changed: i64, groups: Vec<Change>) -> Self {
        let mut ranking = Self { changed, ..Self::default() };
        for (id, _, _, number, time, ordinal) in groups {
            let (id, numbers): (Arc<str>, _) = (id.into(), [number, time, ordinal]);
            ranking.numbers.insert(Arc::clone(&id), numbers);
            ranking.sorted.push((numbers, id));
        }
        ranking.sorted.sort_unstable();
        ranking
    }

    /// Applies the changes since a revision, unless others have been applied in the meantime.
    pub(super) fn apply(&mut self, since: i64, changes: Vec<Change>) {
        if self.changed != since {
            return;
        }
        for (id, changed, is_listed, number, time, ordinal) in changes {
            let (id, numbers): (Arc<str>, _) = (id.into(), [number, time, ordinal]);
            if let Some(numbers) = self.numbers.remove(&id)
                && let Ok(place) = self.sorted.binary_search(&(numbers, Arc::clone(&id)))
            {
                self.sorted.remove(place);
            }
            if is_listed {
                let place = (numbers, Arc::clone(&id));
                let index = self.sorted.partition_point(|other| *other < place);
                self.sorted.insert(index, place);
                self.numbers.insert(id, numbers);
            }
            self.changed = self.changed.max(changed);
        }
    }

    /// Returns a page. `None` for a token of an old format.
    pub(super) fn page(&self, order: GroupOrder, paging: Paging<'_>) -> Option<Places> {
        let (total, limit) = (self.sorted.len(), paging.limit() as usize);
        let before = match paging {
            Paging::Offset { offset, .. } => (offset as usize).min(total),
            Paging::After { cursor, .. } => {
                let place = order.place(cursor.values()?)?;
                if order.ascending {
                    self.sorted.partition_point(|other| *other <= place)
                } else {
                    total - self.sorted.partition_point(|other| *other < place)
                }
            }
        };
        let after = (before + limit).min(total);
        let places = if order.ascending {
            self.sorted[before..after].to_vec()
        } else {
            self.sorted[total - after..total - before].iter().rev().cloned().collect()
        };
        Some(Places { changed: self.changed, total, rows: places, continues: after < total })
    }
}

pub(super) fn lock(ranking: &Mutex<Ranking>) -> MutexGuard<'_, Ranking> {
    ranking.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: usize, changed: i64, is_listed: bool, number: i64) -> Change {
        (format!("g{id}"), changed, is_listed, number, 0, 0)
    }

    #[test]
    fn changes_move_groups() {
        let mut ranking = Ranking::new(5, (0..9).map(|id| change(id, 0, true, 9)).collect());
        ranking.apply(5, vec![change(3, 6, true, 10), change(4, 7, false, 9), change(9, 8, true, 1)]);
        // They were read for another state.
        ranking.apply(5, vec![change(0, 9, false, 0)]);
        let order = GroupOrder::default();
        let page = ranking.page(order, Paging::Offset { offset: 0, limit: 20 }).unwrap();
        let ids: Vec<&str> = page.rows.iter().map(|(_, id)| &**id).collect();
        assert_eq!(ids, ["g3", "g8", "g7", "g6", "g5", "g2", "g1", "g0", "g9"]);
        assert_eq!((page.changed, page.total, page.continues), (8, 9, false));
        let page = ranking.page(order, Paging::Offset { offset: 8, limit: 20 }).unwrap();
        assert_eq!(page.rows.len(), 1);
        assert!(ranking.page(order, Paging::Offset { offset: 20, limit: 20 }).unwrap().rows.is_empty());
    }
}
