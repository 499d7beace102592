//! Looking whether what is stored is what it should be, beside writers and sweeps: `docs/operate/check.md`.

mod compare;
mod look;

use std::collections::HashMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use self::compare::Compare;
use self::look::{Group, Look};
use crate::backend::Backend;
use crate::census::CENSUS_CHUNKS_MAX;
use crate::error::Result;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::suspects::Suspects;

/// The most threads of a check, which has two a core otherwise: one reads while the other unpacks. Each holds one chunk,
/// packed and unpacked: 8 MiB together at the usual chunk size, 128 MiB with chunks of the largest.
pub const CHECK_THREADS_MAX: usize = 16;

/// The most objects that a check tells one by one. The manifests that others hurt are told all the same.
pub const FLAWS_MAX: usize = 1000;

/// The most manifests that are told of one object.
const NAMED_BY_MAX: usize = 1000;

/// How closely a check looks at a chunk. Whatever it is, a chunk with a note is read in full, see `docs/format/chunk.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// At its header and its length.
    Headers,
    /// At every byte.
    Bytes,
    /// At every byte of one part of the chunks, at the header of the others. The parts from 1 to `of` are all chunks.
    Part {
        /// Which part, from 1.
        nth: u64,
        /// How many parts there are.
        of: u64,
    },
    /// At every byte of the chunks whose names come after this one, at the header of the others.
    After(ChunkId),
}

/// How a check goes about it.
#[derive(Debug, Clone)]
pub struct CheckPlan {
    /// How closely it looks.
    pub depth: Depth,
    /// The first bytes of the names of the chunks it looks at; all unless told otherwise.
    pub prefixes: RangeInclusive<u8>,
    /// The most chunks known of at a time, [`CENSUS_CHUNKS_MAX`] unless told otherwise. Bounds memory.
    pub census_chunks_max: usize,
    /// How many threads read; `None` for two a core, at most [`CHECK_THREADS_MAX`]. One goes by the order of the names.
    pub threads: Option<usize>,
}

impl CheckPlan {
    /// A check of everything.
    pub fn new(depth: Depth) -> Self {
        Self { depth, prefixes: 0..=u8::MAX, census_chunks_max: CENSUS_CHUNKS_MAX, threads: None }
    }
}

/// What was looked at just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The chunk. Names are as good as random, so it also tells how far the check is: see [`Seen::per_mille`].
    pub chunk: ChunkId,
    /// How long its object is, in bytes; 0 when it was not read.
    pub read_bytes: u64,
}

impl Seen {
    /// How much of all names comes before it, in thousandths.
    pub fn per_mille(&self) -> u64 {
        ((self.chunk.rank() >> 32) * 1000) >> 32
    }
}

/// Is told of every chunk, from several threads; may take its time, and stops the check with `Break`.
pub type Watch<'a> = &'a (dyn Fn(Seen) -> ControlFlow<()> + Sync);

/// An object that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The object.
    pub key: Key,
    /// What is wrong, as a sentence without its full stop.
    pub reason: String,
    /// Which of the manifests that were asked for it hurts, by their places, in order; at most a thousand of them.
    pub hurts: Vec<usize>,
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Chunks in the store.
    pub chunks: u64,
    /// Bytes of those that can be looked at, as they are stored.
    pub bytes: u64,
    /// Of these, chunks that were read in full.
    pub read_chunks: u64,
    /// Bytes of those, as they are stored.
    pub read_bytes: u64,
    /// What is wrong, at most [`FLAWS_MAX`], in the order it was found.
    pub flaws: Vec<Flaw>,
    /// How many objects there are with which something is wrong; with very many, at least.
    pub flaw_count: u64,
    /// Damaged chunks that none of the manifests names. The next to store them heals them, and a sweep removes them.
    pub spare_flaws: u64,
    /// Whether each of the manifests is hurt.
    pub hurt: Vec<bool>,
    /// Sizes of the disks of the manifests, in bytes; `None` for one that cannot be read.
    pub logical_sizes: Vec<Option<u64>>,
    /// Where in `flaws` an object is.
    places: HashMap<Key, usize>,
}

impl Findings {
    fn new(manifests: usize) -> Self {
        Self { hurt: vec![false; manifests], logical_sizes: vec![None; manifests], ..Self::default() }
    }

    /// Whether nothing is wrong with what the manifests name.
    pub fn is_clean(&self) -> bool {
        self.flaw_count == 0 && !self.hurt.contains(&true)
    }

    fn add(&mut self, key: Key, reason: impl FnOnce() -> String, manifest: usize) {
        self.hurt[manifest] = true;
        let Some(place) = self.places.get(&key).copied() else {
            self.flaw_count += 1;
            if self.flaws.len() < FLAWS_MAX {
                self.places.insert(key, self.flaws.len());
                self.flaws.push(Flaw { key, reason: reason(), hurts: vec![manifest] });
            }
            return;
        };
        let hurts = &mut self.flaws[place].hurts;
        if hurts.last() != Some(&manifest) && hurts.len() < NAMED_BY_MAX {
            hurts.push(manifest);
        }
    }
}

/// Runs a check; `None` when it was stopped.
pub(crate) fn run(
    backend: &Arc<dyn Backend>,
    manifests: &[ManifestId],
    plan: &CheckPlan,
    watch: Watch<'_>,
) -> Result<Option<Findings>> {
    let mut findings = Findings::new(manifests.len());
    let noted = Suspects::load(backend.as_ref())?;
    let look = Look::new(backend.as_ref(), plan, &noted, watch);
    let mut compare = Compare::new(backend.as_ref(), manifests, &look);
    let mut next = Some(*plan.prefixes.start()).filter(|first| plan.prefixes.contains(first));
    // A store without a chunk has manifests all the same.
    while let Some(first) = next {
        let Some(mut group) = Group::look(&look, first, *plan.prefixes.end(), plan.census_chunks_max)? else {
            return Ok(None);
        };
        findings.chunks += group.chunks.len() as u64;
        compare.all(&mut group, &mut findings);
        next = group.last_prefix.checked_add(1).filter(|first| plan.prefixes.contains(first));
    }
    findings.bytes = look.bytes();
    (findings.read_chunks, findings.read_bytes) = look.read();
    Ok(Some(findings))
}
