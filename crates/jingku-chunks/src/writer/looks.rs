//! Which chunks a writer looks up before it stores them.
//!
//! Over a network, a look costs about as much as storing a chunk. So a writer that finds nothing stores without looking,
//! except for samples. Storing an existing chunk is harmless, because its name is its content; it only costs the transfer.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::census::Census;
use crate::id::ChunkId;

/// While a writer stores without looking, it looks up one chunk of this many. The first that it finds ends that.
const SAMPLE_CHUNKS: u64 = 8;

/// The most names of its own chunks that a writer remembers, 32 bytes each: 16 GiB of a disk.
const SEEN_CHUNKS_MAX: usize = 1 << 16;

/// What to do with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Look whether it exists; store it if not.
    Look,
    /// Store it without looking.
    Store,
    /// Nothing: this writer has stored or found it, or is about to. If that fails, so does the writer.
    Skip,
}

/// Shared by all threads of one writer.
pub(super) struct Looks {
    /// Looks in a row that found nothing, after which chunks are stored without; `None` for never.
    misses_max: Option<u64>,
    /// The chunks that the account already has. They probably exist, so they are always looked up.
    pub(super) known: OnceLock<Census<()>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Looks in a row that found nothing.
    misses: u64,
    /// Chunks since then.
    later: u64,
    seen: HashSet<ChunkId>,
}

impl Looks {
    pub(super) fn new(misses_max: Option<u64>) -> Self {
        Self { misses_max, known: OnceLock::new(), state: Mutex::default() }
    }

    /// Decides about a claimed chunk.
    pub(super) fn step(&self, id: ChunkId) -> Step {
        let Some(misses_max) = self.misses_max else { return Step::Look };
        let mut state = self.lock();
        if state.seen.len() == SEEN_CHUNKS_MAX {
            state.seen.clear();
        }
        if !state.seen.insert(id) {
            return Step::Skip;
        }
        if state.misses < misses_max || self.is_known(id) {
            return Step::Look;
        }
        state.later += 1;
        if state.later.is_multiple_of(SAMPLE_CHUNKS) { Step::Look } else { Step::Store }
    }

    /// Records what a look has found.
    pub(super) fn looked(&self, found: bool) {
        let mut state = self.lock();
        if found {
            (state.misses, state.later) = (0, 0);
        } else {
            state.misses += 1;
        }
    }

    pub(super) fn is_known(&self, id: ChunkId) -> bool {
        self.known.get().is_some_and(|known| known.get(id).is_some())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ChunkId {
        ChunkId::of(&number.to_le_bytes())
    }

    /// The numbers of looks and of chunks that are stored without, if looks find the chunks of `existing`.
    fn count(looks: &Looks, chunks: std::ops::Range<u64>, existing: &std::ops::Range<u64>) -> (u64, u64) {
        let mut counts = (0, 0);
        for number in chunks {
            match looks.step(id(number)) {
                Step::Look => {
                    counts.0 += 1;
                    looks.looked(existing.contains(&number));
                }
                Step::Store => counts.1 += 1,
                Step::Skip => {}
            }
        }
        counts
    }

    #[test]
    fn new_chunks_are_sampled_until_one_exists() {
        let looks = Looks::new(Some(16));
        let existing = 816..900;
        assert_eq!(count(&looks, 0..16, &existing), (16, 0));
        assert_eq!(count(&looks, 16..816, &existing), (100, 700));
        // The eighth is looked up and exists.
        assert_eq!(count(&looks, 816..900, &existing), (77, 7));
        assert_eq!(count(&looks, 900..916, &existing), (16, 0));
    }

    #[test]
    fn repeated_and_known_chunks_are_not_sent() {
        let looks = Looks::new(Some(0));
        let mut known = Census::default();
        known.add(vec![(id(1).rank(), ())]);
        assert!(looks.known.set(known).is_ok());
        assert_eq!(
            [0, 1, 0, 1].map(|number| looks.step(id(number))),
            [Step::Store, Step::Look, Step::Skip, Step::Skip]
        );
    }

    #[test]
    fn local_stores_look_always() {
        let looks = Looks::new(None);
        assert_eq!(count(&looks, 0..100, &(0..0)), (100, 0));
        assert_eq!(looks.step(id(0)), Step::Look);
    }
}
