//! What a check is asked to do.

use std::ops::{ControlFlow, RangeInclusive};

use crate::census::CENSUS_CHUNKS_MAX;
use crate::id::ChunkId;

/// The most threads of a check, which has two a core otherwise: one reads while the other unpacks. Each holds one chunk,
/// packed and unpacked: 8 MiB together at the usual chunk size, 128 MiB with chunks of the largest.
pub const CHECK_THREADS_MAX: usize = 16;

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
pub struct CheckProgress {
    /// The chunk. Names are as good as random, so it also tells how far the check is: see [`CheckProgress::per_mille`].
    pub chunk: ChunkId,
    /// How long its object is, in bytes; 0 when it was not read.
    pub read_bytes: u64,
}

impl CheckProgress {
    /// How much of all names comes before it, in thousandths.
    pub fn per_mille(&self) -> u64 {
        ((self.chunk.rank() >> 32) * 1000) >> 32
    }
}

/// Is told of every chunk, from several threads; may take its time, and stops the check with `Break`.
pub type OnProgress<'a> = &'a (dyn Fn(CheckProgress) -> ControlFlow<()> + Sync);
