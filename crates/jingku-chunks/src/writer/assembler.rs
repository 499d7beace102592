//! Stores chunks and assembles their manifest.

use std::mem::take;
use std::sync::Arc;

use super::ingest::{Ingest, Ingested, Job, Shared};
use super::looks::Looks;
use super::sealed::{Sealed, Written};
use super::sync_ahead::SyncAhead;
use crate::backend::{Backend, Stage};
use crate::census::Census;
use crate::error::{Error, Result};
use crate::format::layout::Layout;
use crate::format::manifest::Encoder;
use crate::gc_guard::GcGuard;
use crate::pipeline::Pipeline;
use crate::quarantine::Quarantine;

/// Bytes of the manifest collected before they go to the backend.
const MANIFEST_BUFFER_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Totals {
    data_bytes: u64,
    new_bytes: u64,
    new_chunks: u64,
    reused_chunks: u64,
    pub(super) known_plain_bytes: u64,
}

/// Stores chunks on several cores and writes their manifest in order.
pub(super) struct Assembler {
    pub(super) backend: Arc<dyn Backend>,
    shared: Arc<Shared>,
    pipeline: Pipeline<Job, Vec<Ingested>>,
    manifest: Encoder,
    stage: Box<dyn Stage>,
    pub(super) totals: Totals,
    sync_ahead: SyncAhead,
}

impl Assembler {
    /// Runs are cut at multiples of `chunk_size`.
    pub(super) fn start(
        backend: &Arc<dyn Backend>,
        layout: Layout,
        chunk_size: usize,
        zstd_level: i32,
    ) -> Result<Self> {
        let guard = GcGuard::begin(backend.as_ref())?;
        let quarantine = Quarantine::load(backend.as_ref())?;
        let looks = Looks::new(backend.misses_max());
        let shared = Arc::new(Shared { backend: Arc::clone(backend), guard, quarantine, looks, chunk_size });
        Ok(Self {
            pipeline: Pipeline::start(backend.threads(), || {
                let mut ingest = Ingest::new(Arc::clone(&shared), zstd_level)?;
                Ok(move |job| ingest.run(job))
            })?,
            backend: Arc::clone(backend),
            shared,
            manifest: Encoder::new(layout),
            stage: backend.stage()?,
            totals: Totals::default(),
            sync_ahead: SyncAhead::new(backend),
        })
    }

    /// Counts the written bytes in these chunks. Only the first call counts.
    pub(super) fn compare_with(&self, known: Census<()>) {
        // Fails if there was a call before.
        let _ = self.shared.looks.known.set(known);
    }

    /// Queues chunks to be stored. Waits while enough are in progress.
    pub(super) fn submit(&mut self, job: Job) -> Result<()> {
        // The thread that stores a run reads it, so queued runs hold no memory; but each is many chunks.
        match job {
            Job::Chunk(_) => self.make_room(Pipeline::is_full)?,
            Job::Run { .. } => self.make_room(Pipeline::is_busy)?,
        }
        self.pipeline.submit(job);
        Ok(())
    }

    pub(super) fn zeros(&mut self, len: u64) -> Result<()> {
        self.make_room(Pipeline::is_full)?;
        self.pipeline.pass(Ok(vec![Ingested::Zeros { len }]));
        Ok(())
    }

    /// Waits until every chunk is stored, makes them durable, and ends the manifest, which must cover `logical_bytes`.
    pub(super) fn finish(mut self, logical_bytes: u64) -> Result<Sealed> {
        while let Some(ingested) = self.pipeline.take() {
            self.record(ingested?)?;
        }
        // The chunk of an earlier error is missing; a caller that ignored the error fails here.
        if self.manifest.position != logical_bytes {
            let what = "a chunk could not be stored";
            return Err(Error::Length { what, offset: self.manifest.position, length: logical_bytes });
        }
        self.sync_ahead.wait()?;
        self.backend.sync()?;
        let manifest = self.manifest.finish();
        self.stage.write(&take(&mut self.manifest.bytes))?;
        let Totals { data_bytes, new_bytes, new_chunks, reused_chunks, .. } = self.totals;
        let written = Written {
            manifest,
            new_manifest: false,
            logical_bytes,
            data_bytes,
            new_bytes,
            new_chunks,
            reused_chunks,
            guard: self.shared.guard.clone(),
        };
        Ok(Sealed { backend: self.backend, stage: self.stage, written })
    }

    /// Takes what is ready, and waits only if the memory limit requires it.
    fn make_room(&mut self, is_full: impl Fn(&Pipeline<Job, Vec<Ingested>>) -> bool) -> Result<()> {
        loop {
            let full = is_full(&self.pipeline);
            let ingested = if full { self.pipeline.take() } else { self.pipeline.take_ready() };
            let Some(ingested) = ingested else { return Ok(()) };
            self.record(ingested?)?;
        }
    }

    fn record(&mut self, ingested: Vec<Ingested>) -> Result<()> {
        for ingested in ingested {
            match ingested {
                Ingested::Zeros { len } => self.manifest.zeros(len),
                Ingested::Chunk { id, plain_bytes, new_bytes } => {
                    self.totals.data_bytes += u64::from(plain_bytes);
                    if let Some(bytes) = new_bytes {
                        self.totals.new_chunks += 1;
                        self.totals.new_bytes += bytes;
                        self.sync_ahead.stored(bytes)?;
                    } else {
                        self.totals.reused_chunks += 1;
                    }
                    if self.shared.looks.is_known(id) {
                        self.totals.known_plain_bytes += u64::from(plain_bytes);
                    }
                    self.manifest.chunk(id, plain_bytes);
                }
            }
        }
        if self.manifest.bytes.len() >= MANIFEST_BUFFER_BYTES {
            self.stage.write(&take(&mut self.manifest.bytes))?;
        }
        Ok(())
    }
}
