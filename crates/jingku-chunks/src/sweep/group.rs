//! The chunks of some prefixes, and which of them are needed.

use std::collections::HashSet;
use std::sync::Arc;

use super::claim_tracker::ClaimTracker;
use crate::backend::Backend;
use crate::census::{Census, list_chunks};
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::manifest::Extents;

/// How often manifests that became live meanwhile are read before writers have to wait for that.
const CATCH_UP_ROUNDS_MAX: u32 = 3;

/// Marks the chunks of a group that are needed. A mark is never taken away: what ceases to be needed meanwhile is left
/// to the next sweep.
pub(super) struct Group {
    marks: Census<bool>,
    claims: ClaimTracker,
    /// The manifests whose chunks are marked.
    marked: HashSet<ManifestId>,
    /// Manifests to be marked before writers have to wait.
    pending: Vec<ManifestId>,
    rounds: u32,
    /// The next prefix whose chunks have not been looked through.
    next_prefix: u16,
    last_prefix: u8,
    /// Chunks without a mark when they were looked at.
    candidates: Vec<ChunkId>,
}

impl Group {
    /// Lists prefixes from this one on until there are more chunks than wanted, but at least one.
    pub(super) fn begin(backend: &Arc<dyn Backend>, first_prefix: u8, chunks_max: usize) -> Result<Self> {
        let mut marks = Census::new(first_prefix);
        let mut last_prefix = first_prefix;
        for prefix in first_prefix..=u8::MAX {
            let chunks = list_chunks(backend.as_ref(), prefix)?;
            if prefix > first_prefix && marks.len() + chunks.len() > chunks_max {
                break;
            }
            marks.add_prefix(chunks.into_iter().map(|id| (id.rank(), false)).collect());
            last_prefix = prefix;
        }
        Ok(Self {
            marks,
            claims: ClaimTracker::start(backend)?,
            marked: HashSet::new(),
            pending: Vec::new(),
            rounds: 0,
            next_prefix: first_prefix.into(),
            last_prefix,
            candidates: Vec::new(),
        })
    }

    pub(super) fn chunk_count(&self) -> u64 {
        self.marks.len() as u64
    }

    pub(super) fn last_prefix(&self) -> u8 {
        self.last_prefix
    }

    /// Marks the chunks of one manifest that is known to be needed; tells whether there was one.
    pub(super) fn mark_more(&mut self, backend: &Arc<dyn Backend>) -> Result<bool> {
        let Some(id) = self.pending.pop() else { return Ok(false) };
        // It may have ceased to be live, and another sweep have removed it. If not, the same error comes again below.
        match self.mark(backend.as_ref(), id) {
            Err(Error::NotFound(_)) => {}
            marked => marked?,
        }
        Ok(true)
    }

    /// Takes some chunks without a mark; nothing when all prefixes were looked through.
    pub(super) fn take_candidates(
        &mut self,
        backend: &dyn Backend,
        count: usize,
    ) -> Result<Option<Vec<ChunkId>>> {
        while self.candidates.is_empty() {
            let Some(prefix) = u8::try_from(self.next_prefix).ok().filter(|next| *next <= self.last_prefix)
            else {
                return Ok(None);
            };
            self.candidates = list_chunks(backend, prefix)?;
            // What was stored after the group was listed has no entry, and is nobody's suspect.
            self.candidates.retain(|id| self.marks.get(*id).is_some_and(|mark| !*mark));
            self.next_prefix += 1;
        }
        Ok(Some(self.candidates.split_off(self.candidates.len().saturating_sub(count))))
    }

    /// Gives back what was taken and not deleted.
    pub(super) fn put_back(&mut self, keys: Vec<Key>) {
        let chunk = |key| match key {
            Key::Chunk(id) => Some(id),
            Key::Manifest(_) | Key::QuarantineMark(_) => None,
        };
        self.candidates.extend(keys.into_iter().filter_map(chunk));
    }

    /// Keeps claims from growing and marks what has come to be needed; from then on, until released, what has no mark is
    /// garbage. Tells `false`, and holds nothing, when there are manifests to be marked first.
    pub(super) fn pause_claims<E: From<Error>>(
        &mut self,
        backend: &Arc<dyn Backend>,
        live: &mut dyn FnMut() -> Result<Vec<ManifestId>, E>,
    ) -> Result<bool, E> {
        self.claims.pause(&mut |id| {
            if let Some(mark) = self.marks.get(id) {
                *mark = true;
            }
        })?;
        // After the claims, see there.
        let live = live()?.into_iter().map(|id| (id, true));
        let claimed = self.claims.manifests().map(|id| (id, false));
        let mut new: Vec<_> = live.chain(claimed).filter(|(id, _)| !self.marked.contains(id)).collect();
        if !new.is_empty() && self.rounds < CATCH_UP_ROUNDS_MAX {
            self.claims.resume();
            self.rounds += 1;
            self.pending = new.into_iter().map(|(id, _)| id).collect();
            return Ok(false);
        }
        for (id, is_live) in new.drain(..) {
            match self.mark(backend.as_ref(), id) {
                // A writer claims the name of a manifest before it writes it. It claims the chunks themselves, too.
                Err(Error::NotFound(_)) if !is_live => {}
                marked => marked?,
            }
        }
        self.rounds = 0;
        Ok(true)
    }

    pub(super) fn resume_claims(&mut self) {
        self.claims.resume();
    }

    /// Tells whether a chunk may be deleted, while held.
    pub(super) fn is_garbage(&mut self, key: Key) -> bool {
        matches!(key, Key::Chunk(id) if self.marks.get(id).is_some_and(|mark| !*mark))
    }

    fn mark(&mut self, backend: &dyn Backend, id: ManifestId) -> Result<()> {
        for extent in Extents::open(backend, id)? {
            if let Extent::Chunk { id, .. } = extent?
                && let Some(mark) = self.marks.get(id)
            {
                *mark = true;
            }
        }
        // Only now: half of one that was read before an error must not count.
        self.marked.insert(id);
        Ok(())
    }
}
