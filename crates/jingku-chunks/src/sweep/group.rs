//! The chunks of some prefixes, and which of them are needed or claimed.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::backend::{Backend, ClaimWatch};
use crate::census::{Census, list_chunks};
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::format::manifest::Decoder;
use crate::id::{ChunkId, ManifestId};
use crate::key::{Key, Kind};

/// How often newly live manifests are read before writers have to wait for that.
const CATCH_UP_ROUNDS_MAX: u32 = 3;

/// Marks the needed chunks of a group. Marks are never removed: what is no longer needed is left to the next sweep.
pub(super) struct Group {
    pub(super) marks: Census<bool>,
    pub(super) claims: ClaimTracker,
    marked: HashSet<ManifestId>,
    /// Manifests to mark before writers have to wait.
    pending: Vec<ManifestId>,
    rounds: u32,
    unsearched: RangeInclusive<u8>,
    pub(super) last_prefix: u8,
    /// Chunks that had no mark when they were listed.
    pub(super) candidates: Vec<Key>,
}

impl Group {
    /// Lists at least one prefix from `first_prefix`, and more up to `chunks_max` chunks.
    pub(super) fn begin(backend: &Arc<dyn Backend>, first_prefix: u8, chunks_max: usize) -> Result<Self> {
        let mut marks = Census::default();
        let mut last_prefix = first_prefix;
        for prefix in first_prefix..=u8::MAX {
            let chunks = list_chunks(backend.as_ref(), prefix)?;
            if prefix > first_prefix && marks.len() + chunks.len() > chunks_max {
                break;
            }
            marks.add(chunks.into_iter().map(|id| (id.rank(), false)).collect());
            last_prefix = prefix;
        }
        Ok(Self {
            marks,
            claims: ClaimTracker::start(backend.as_ref())?,
            marked: HashSet::new(),
            pending: Vec::new(),
            rounds: 0,
            unsearched: first_prefix..=last_prefix,
            last_prefix,
            candidates: Vec::new(),
        })
    }

    /// Marks the chunks of one pending manifest; returns whether there was one.
    pub(super) fn mark_more(&mut self, backend: &Arc<dyn Backend>) -> Result<bool> {
        let Some(id) = self.pending.pop() else { return Ok(false) };
        // Another sweep may have removed it after its image was deleted. Otherwise the same error recurs below.
        match self.mark(backend.as_ref(), id) {
            Err(Error::NotFound(_)) => {}
            marked => marked?,
        }
        Ok(true)
    }

    /// Takes some chunks without a mark; `None` when all prefixes are done.
    pub(super) fn take_candidates(
        &mut self,
        backend: &dyn Backend,
        count: usize,
    ) -> Result<Option<Vec<Key>>> {
        while self.candidates.is_empty() {
            let Some(prefix) = self.unsearched.next() else { return Ok(None) };
            let listed = backend.list(Kind::Chunk, prefix)?;
            self.candidates = listed.into_iter().filter(|key| self.is_garbage(*key)).collect();
        }
        Ok(Some(self.candidates.split_off(self.candidates.len().saturating_sub(count))))
    }

    /// Pauses claims of `candidates` and marks what is needed now. Until resumed, candidates without a mark are garbage. Returns `false`,
    /// with claims running, if there are manifests to mark first.
    pub(super) fn pause_claims<E: From<Error>>(
        &mut self,
        backend: &Arc<dyn Backend>,
        candidates: &[Key],
        live: &mut dyn FnMut() -> Result<Vec<ManifestId>, E>,
    ) -> Result<bool, E> {
        self.claims.pause(candidates, &mut |id| self.marks.set(id, true))?;
        // After pausing claims: see `ClaimTracker::pause`.
        let live = live()?.into_iter().map(|id| (id, true));
        let claimed = self.claims.manifests().map(|id| (id, false));
        let new: Vec<_> = live.chain(claimed).filter(|(id, _)| !self.marked.contains(id)).collect();
        if !new.is_empty() && self.rounds < CATCH_UP_ROUNDS_MAX {
            self.claims.resume();
            self.rounds += 1;
            self.pending = new.into_iter().map(|(id, _)| id).collect();
            return Ok(false);
        }
        for (id, is_live) in new {
            match self.mark(backend.as_ref(), id) {
                // A writer claims the name of a manifest before writing it. It claims the chunks, too.
                Err(Error::NotFound(_)) if !is_live => {}
                marked => marked?,
            }
        }
        self.rounds = 0;
        Ok(true)
    }

    /// Whether a chunk has no mark. It may be deleted while claims are paused. Chunks stored after the group was listed
    /// have no entry and are kept.
    pub(super) fn is_garbage(&self, key: Key) -> bool {
        matches!(key, Key::Chunk(id) if self.marks.get(id) == Some(false))
    }

    fn mark(&mut self, backend: &dyn Backend, id: ManifestId) -> Result<()> {
        for extent in Decoder::open(backend, id)? {
            if let Extent::Chunk { id, .. } = extent? {
                self.marks.set(id, true);
            }
        }
        // Only now: a manifest that was read in part must not count.
        self.marked.insert(id);
        Ok(())
    }
}

/// Watches claims and remembers the claimed manifests, which are few.
pub(super) struct ClaimTracker {
    watch: Box<dyn ClaimWatch>,
    manifests: HashSet<ManifestId>,
}

impl ClaimTracker {
    pub(super) fn start(backend: &dyn Backend) -> Result<Self> {
        Ok(Self { watch: backend.watch_claims()?, manifests: HashSet::new() })
    }

    /// Pauses claims of `keys` and visits the chunks that were claimed since the last call.
    ///
    /// Ask for live manifests *after* this: a claim that has ended is not visited, but its image is in the catalogue.
    pub(super) fn pause(&mut self, keys: &[Key], claimed: &mut dyn FnMut(ChunkId)) -> Result<()> {
        self.watch.pause(keys, &mut |key| match key {
            Key::Chunk(id) => claimed(id),
            Key::Manifest(id) => drop(self.manifests.insert(id)),
            Key::QuarantineMark(_) => {}
        })
    }

    pub(super) fn is_paused(&mut self) -> Result<bool> {
        self.watch.is_paused()
    }

    pub(super) fn resume(&mut self) {
        self.watch.resume();
    }

    /// Leaves additions of the last names paused until that ends by itself: deletions may still take effect. Watches anew,
    /// which visits all claims again.
    pub(super) fn leave(&mut self, backend: &dyn Backend) -> Result<()> {
        self.watch = backend.watch_claims()?;
        Ok(())
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = ManifestId> {
        self.manifests.iter().copied()
    }
}
