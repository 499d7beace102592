//! What is known of the stored chunks of some prefixes, in little memory.
//!
//! A chunk is known by the first eight bytes of its name, its rank. Two chunks of one rank share an entry; whoever uses
//! this must be content when one is taken for the other, or look again.

use crate::backend::Backend;
use crate::error::Result;
use crate::id::ChunkId;
use crate::key::{Key, Kind};

/// The most chunks that a sweep or check knows of at a time, unless one prefix alone has more. At nine to twelve bytes
/// each: about 100 MB. `docs/format/sweep.md` has the arithmetic.
pub const CENSUS_CHUNKS_MAX: usize = 8 << 20;

/// The stored chunks of consecutive prefixes, each with a value.
pub(crate) struct Census<V> {
    ranks: Vec<u64>,
    values: Vec<V>,
    /// Where the ranks of each prefix begin, from the first prefix on; one more than there are prefixes.
    starts: Vec<usize>,
    first_prefix: u8,
}

impl<V: Copy> Census<V> {
    /// Begins with a prefix, and knows of none yet.
    pub(crate) fn new(first_prefix: u8) -> Self {
        Self { ranks: Vec::new(), values: Vec::new(), starts: vec![0], first_prefix }
    }

    /// Adds the next prefix, with the ranks of its chunks and what is known of each.
    pub(crate) fn add_prefix(&mut self, mut entries: Vec<(u64, V)>) {
        entries.sort_unstable_by_key(|(rank, _)| *rank);
        entries.dedup_by_key(|(rank, _)| *rank);
        // Reserved exactly: doubling would hold the old and the new, three times what is needed.
        self.ranks.reserve_exact(entries.len());
        self.values.reserve_exact(entries.len());
        self.ranks.extend(entries.iter().map(|(rank, _)| rank));
        self.values.extend(entries.iter().map(|(_, value)| value));
        self.starts.push(self.ranks.len());
    }

    /// Number of chunks known of.
    pub(crate) fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Finds the entry of a chunk.
    pub(crate) fn get(&mut self, id: ChunkId) -> Option<&mut V> {
        let (start, end) = self.span(id)?;
        let at = self.ranks[start..end].binary_search(&id.rank()).ok()?;
        self.values.get_mut(start + at)
    }

    fn span(&self, id: ChunkId) -> Option<(usize, usize)> {
        let place = usize::from(id.0[0].checked_sub(self.first_prefix)?);
        Some((*self.starts.get(place)?, *self.starts.get(place + 1)?))
    }
}

/// Lists the chunks of a prefix.
pub(crate) fn list_chunks(backend: &dyn Backend, prefix: u8) -> Result<Vec<ChunkId>> {
    let chunk = |key| match key {
        Key::Chunk(id) => Some(id),
        Key::Manifest(_) | Key::QuarantineMark(_) => None,
    };
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
    fn finds_what_was_added_and_shares_what_has_one_rank() {
        let mut census = Census::new(254);
        census.add_prefix(vec![(id(254, 9, 0).rank(), 1), (id(254, 3, 0).rank(), 2)]);
        census.add_prefix(vec![(id(255, 3, 0).rank(), 3), (id(255, 3, 1).rank(), 3)]);
        assert_eq!(census.len(), 3);
        assert_eq!(census.get(id(254, 3, 7)).copied(), Some(2));
        assert_eq!(census.get(id(254, 9, 7)).copied(), Some(1));
        assert_eq!(census.get(id(254, 4, 7)).copied(), None);
        *census.get(id(255, 3, 0)).unwrap() = 4;
        assert_eq!(census.get(id(255, 3, 1)).copied(), Some(4));
        assert!(census.get(id(253, 3, 0)).is_none() && census.get(id(0, 0, 0)).is_none());
    }
}
