//! The options of a check.

use std::ops::{ControlFlow, RangeInclusive};

use crate::census::CENSUS_CHUNKS_MAX;
use crate::id::ChunkId;

/// The most threads of a check, which otherwise uses twice those of a writer. One reads while the other decompresses. Each holds
/// one chunk, compressed and plain: 8 MiB in total at the default chunk size, 128 MiB at the largest.
pub const CHECK_THREADS_MAX: usize = 16;

/// How thoroughly a check examines chunks. A chunk with a quarantine mark is always read in full:
/// `docs/format/chunk.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Headers and lengths.
    Headers,
    /// Every byte.
    Bytes,
    /// Every byte of one part of the chunks, headers of the others. Parts 1 to `of` cover all chunks.
    Part {
        /// The part, from 1.
        nth: u64,
        /// The number of parts.
        of: u64,
    },
    /// Every byte of the chunks whose names follow this one, headers of the others.
    After(ChunkId),
}

/// The options of a check.
#[derive(Debug, Clone)]
pub struct CheckPlan {
    /// How thorough it is.
    pub depth: Depth,
    /// First bytes of the names of the chunks to examine; all by default.
    pub prefixes: RangeInclusive<u8>,
    /// The most chunks tracked at a time, [`CENSUS_CHUNKS_MAX`] by default. Bounds memory.
    pub census_chunks_max: usize,
    /// Reader threads; `None` for twice those of a writer, at most [`CHECK_THREADS_MAX`]. A single thread reads in the order of
    /// names.
    pub threads: Option<usize>,
}

impl CheckPlan {
    /// Checks everything.
    pub fn new(depth: Depth) -> Self {
        Self { depth, prefixes: 0..=u8::MAX, census_chunks_max: CENSUS_CHUNKS_MAX, threads: None }
    }
}

/// A chunk that was just examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckProgress {
    /// The chunk. Names are uniformly distributed, so they show the progress: see [`CheckProgress::per_mille`].
    pub chunk: ChunkId,
    /// Length of its object in bytes; 0 if it was not read.
    pub read_bytes: u64,
}

impl CheckProgress {
    /// The share of all names that precede it, in thousandths.
    pub fn per_mille(&self) -> u64 {
        ((self.chunk.rank() >> 32) * 1000) >> 32
    }
}

/// Called for every chunk, from several threads. May block; returns `Break` to stop the check.
pub type OnProgress<'a> = &'a (dyn Fn(CheckProgress) -> ControlFlow<()> + Sync);
