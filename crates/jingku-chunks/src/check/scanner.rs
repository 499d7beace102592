//! Examines the stored chunks on several threads.

use std::collections::HashMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::plan::{CHECK_THREADS_MAX, CheckPlan, CheckProgress, Depth, OnProgress};
use crate::backend::Backend;
use crate::census::{Census, list_chunks};
use crate::chunk_reader::ChunkReader;
use crate::error::{Error, Result};
use crate::format::chunk::Header;
use crate::id::ChunkId;
use crate::key::Key;
use crate::quarantine::{self, Quarantine};

/// The least chunks handed to the threads at once, to keep them all busy.
const BATCH_CHUNKS: usize = 4096;
/// The most corrupted chunks per group whose reasons are kept.
const REASONS_MAX: usize = 10_000;

pub(super) struct Scanner<'a> {
    pub(super) backend: &'a dyn Backend,
    plan: &'a CheckPlan,
    quarantine: &'a Quarantine,
    on_progress: OnProgress<'a>,
    stopped: AtomicBool,
    /// Stored bytes of the chunks that could be examined.
    pub(super) bytes: AtomicU64,
    /// Chunks read in full, and their stored bytes.
    pub(super) read_chunks: AtomicU64,
    pub(super) read_bytes: AtomicU64,
    /// Corrupted chunks of the current group, and the reasons.
    damaged: Mutex<HashMap<ChunkId, String>>,
}

pub(super) struct Group {
    /// Plain length of each; 0 if corrupted.
    pub(super) chunks: Census<u32>,
    /// First bytes of their names.
    pub(super) prefixes: RangeInclusive<u8>,
    pub(super) damaged: HashMap<ChunkId, String>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(
        backend: &'a dyn Backend,
        plan: &'a CheckPlan,
        quarantine: &'a Quarantine,
        on_progress: OnProgress<'a>,
    ) -> Self {
        Self {
            backend,
            plan,
            quarantine,
            on_progress,
            stopped: AtomicBool::default(),
            bytes: AtomicU64::default(),
            read_chunks: AtomicU64::default(),
            read_bytes: AtomicU64::default(),
            damaged: Mutex::default(),
        }
    }

    /// Examines a chunk and returns its plain length. Marks it if it is corrupted, so that the next writer of the same
    /// content repairs it.
    pub(super) fn chunk(&self, id: ChunkId, reader: &mut ChunkReader) -> Result<u32> {
        let looked = if self.reads(id) { self.read_in_full(id, reader) } else { self.header(id) };
        looked.inspect_err(|error| quarantine::mark(self.backend, id, error))
    }

    fn reads(&self, id: ChunkId) -> bool {
        let asked = match self.plan.depth {
            Depth::Headers => false,
            Depth::Bytes => true,
            Depth::Part { nth, of } => id.rank() % of.max(1) == nth.saturating_sub(1),
            Depth::After(place) => id > place,
        };
        asked || self.quarantine.contains(id)
    }

    fn read_in_full(&self, id: ChunkId, reader: &mut ChunkReader) -> Result<u32> {
        let (plain, length) = reader.read(self.backend, id)?;
        self.bytes.fetch_add(length, Ordering::Relaxed);
        self.read_chunks.fetch_add(1, Ordering::Relaxed);
        self.read_bytes.fetch_add(length, Ordering::Relaxed);
        self.report(id, length);
        // A chunk is at most 4 MiB.
        Ok(u32::try_from(plain.len()).unwrap_or(u32::MAX))
    }

    fn header(&self, id: ChunkId) -> Result<u32> {
        let key = Key::Chunk(id);
        let head = self.backend.head(key)?;
        self.bytes.fetch_add(head.length, Ordering::Relaxed);
        self.report(id, 0);
        let header = Header::decode(&head.first).map_err(|reason| Error::Damaged { key, reason })?;
        if header.object_length() != head.length {
            return Err(Error::Damaged { key, reason: "it is not as long as its header says" });
        }
        Ok(header.plain_length)
    }

    fn report(&self, chunk: ChunkId, read_bytes: u64) {
        if (self.on_progress)(CheckProgress { chunk, read_bytes }) == ControlFlow::Break(()) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Examines chunks, in order if there is one thread, and returns their ranks and plain lengths.
    fn all(&self, ids: &[ChunkId]) -> Result<Vec<(u64, u32)>> {
        let found: Vec<AtomicU32> = ids.iter().map(|_| AtomicU32::new(0)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut reader = ChunkReader::new()?;
            while !self.is_stopped() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(id) = ids.get(at) else { break };
                match self.chunk(*id, &mut reader) {
                    Ok(length) => found[at].store(length, Ordering::Relaxed),
                    Err(error) => {
                        let mut damaged = self.damaged();
                        if damaged.len() < REASONS_MAX {
                            damaged.insert(*id, reason(&error));
                        }
                    }
                }
            }
            Ok::<_, Error>(())
        };
        let threads = self
            .plan
            .threads
            .unwrap_or(2 * self.backend.threads())
            .clamp(1, CHECK_THREADS_MAX)
            .min(ids.len());
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            running
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        Ok(ids.iter().zip(found).map(|(id, length)| (id.rank(), length.into_inner())).collect())
    }

    fn damaged(&self) -> MutexGuard<'_, HashMap<ChunkId, String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// Scans at least one prefix from `first`, and more up to the memory limit of the plan; `None` if stopped.
    pub(super) fn scan(scanner: &Scanner<'_>, first: u8) -> Result<Option<Self>> {
        let CheckPlan { prefixes, census_chunks_max, .. } = scanner.plan;
        let (mut chunks, mut waiting, mut last_prefix) = (Census::default(), Vec::new(), first);
        for prefix in first..=*prefixes.end() {
            let mut listed = list_chunks(scanner.backend, prefix)?;
            if prefix > first && chunks.len() + waiting.len() + listed.len() > *census_chunks_max {
                break;
            }
            listed.sort_unstable();
            waiting.append(&mut listed);
            last_prefix = prefix;
            if waiting.len() >= BATCH_CHUNKS {
                chunks.add(scanner.all(&waiting)?);
                waiting.clear();
            }
        }
        chunks.add(scanner.all(&waiting)?);
        if scanner.is_stopped() {
            return Ok(None);
        }
        let damaged = std::mem::take(&mut *scanner.damaged());
        Ok(Some(Self { chunks, prefixes: first..=last_prefix, damaged }))
    }
}

/// Describes what is wrong with an object, without its name.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::NotFound(_) => "it does not exist".to_owned(),
        Error::Damaged { reason, .. } => (*reason).to_owned(),
        Error::Io { source, .. } => format!("it cannot be read: {source}"),
        other => other.to_string(),
    }
}
