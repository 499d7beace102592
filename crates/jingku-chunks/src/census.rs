//! A compact table of the stored chunks of some prefixes.
//!
//! The key is the rank: the first eight bytes of a chunk's name. Chunks of equal rank share an entry, so callers must
//! tolerate or re-check collisions.

use crate::backend::Backend;
use crate::error::Result;
use crate::id::ChunkId;
use crate::key::{Key, Kind};

/// The most chunks a sweep or check tracks at a time, unless one prefix alone has more. Nine to twelve bytes each,
/// about 100 MB: `docs/format/sweep.md` has the calculation.
pub const CENSUS_CHUNKS_MAX: usize = 8 << 20;

/// The stored chunks of consecutive prefixes, with a value each, ordered by rank.
#[derive(Default)]
pub(crate) struct Census<V> {
    ranks: Vec<u64>,
    values: Vec<V>,
}

impl<V: Copy> Census<V> {
    /// Adds the next prefixes: the ranks of their chunks with their values.
    pub(crate) fn add(&mut self, mut entries: Vec<(u64, V)>) {
        entries.sort_unstable_by_key(|(rank, _)| *rank);
        entries.dedup_by_key(|(rank, _)| *rank);
        // Exact: doubling would hold the old and new buffers at once, three times what is needed.
        self.ranks.reserve_exact(entries.len());
        self.values.reserve_exact(entries.len());
        self.ranks.extend(entries.iter().map(|(rank, _)| rank));
        self.values.extend(entries.iter().map(|(_, value)| value));
    }

    pub(crate) fn len(&self) -> usize {
        self.ranks.len()
    }

    pub(crate) fn get(&self, id: ChunkId) -> Option<V> {
        self.ranks.binary_search(&id.rank()).ok().map(|at| self.values[at])
    }

    /// Changes the value of a chunk that has an entry.
    pub(crate) fn set(&mut self, id: ChunkId, value: V) {
        if let Ok(at) = self.ranks.binary_search(&id.rank()) {
            self.values[at] = value;
        }
    }
}

pub(crate) fn list_chunks(backend: &dyn Backend, prefix: u8) -> Result<Vec<ChunkId>> {
    let chunk = |key| if let Key::Chunk(id) = key { Some(id) } else { None };
    Ok(backend.list(Kind::Chunk, prefix)?.into_iter().filter_map(chunk).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(prefix: u8, rank: u8, rest: u8) -> ChunkId {
        let mut bytes = [rest; 32];
        bytes[..8].copy_from_slice(&[prefix, 0, 0, 0, 0, 0, 0, rank]);
        ChunkId(bytes)
    }

    #[test]
    fn finds_entries_and_shares_equal_ranks() {
        let mut census = Census::default();
        census.add(vec![(id(254, 9, 0).rank(), 1), (id(254, 3, 0).rank(), 2)]);
        census.add(vec![(id(255, 3, 0).rank(), 3), (id(255, 3, 1).rank(), 3)]);
        assert_eq!(census.len(), 3);
        assert_eq!(census.get(id(254, 3, 7)), Some(2));
        assert_eq!(census.get(id(254, 9, 7)), Some(1));
        assert_eq!(census.get(id(254, 4, 7)), None);
        census.set(id(255, 3, 0), 4);
        assert_eq!(census.get(id(255, 3, 1)), Some(4));
        assert!(census.get(id(253, 3, 0)).is_none() && census.get(id(0, 0, 0)).is_none());
    }
}
