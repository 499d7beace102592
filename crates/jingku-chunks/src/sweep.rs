//! Removes what no image references, while writers and readers run: `docs/format/sweep.md`.

mod group;

use std::collections::HashSet;
use std::sync::Arc;

use self::group::{ClaimTracker, Group};
use crate::backend::Backend;
use crate::census::CENSUS_CHUNKS_MAX;
use crate::error::{Error, Result};
use crate::id::ManifestId;
use crate::key::{Key, Kind};

/// The most objects that a sweep deletes while writers wait.
pub const SWEEP_BATCH_OBJECTS: usize = 512;

/// The options of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct SweepPlan {
    /// Only report what would be deleted.
    pub dry_run: bool,
    /// The most chunks tracked at a time, [`CENSUS_CHUNKS_MAX`] by default. Bounds memory.
    pub census_chunks_max: usize,
    /// The most objects deleted in one step, [`SWEEP_BATCH_OBJECTS`] by default. Bounds how long writers wait.
    pub batch_objects: usize,
}

impl Default for SweepPlan {
    fn default() -> Self {
        Self { dry_run: false, census_chunks_max: CENSUS_CHUNKS_MAX, batch_objects: SWEEP_BATCH_OBJECTS }
    }
}

/// What a sweep has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Manifests deleted, or to be deleted in a dry run.
    pub manifests: u64,
    /// Chunks deleted, or to be deleted.
    pub chunks: u64,
    /// Bytes of these objects.
    pub bytes: u64,
    /// Chunks found in the store.
    pub chunks_seen: u64,
    /// Progress: prefixes done, of 256.
    pub prefixes_done: u16,
}

/// Returns all manifests that are live now: those of all images, including the trash.
pub type Live<'a, E> = &'a mut dyn FnMut() -> Result<Vec<ManifestId>, E>;

/// Deletes every manifest that is neither live nor claimed, and every chunk that no such manifest references and no
/// writer claims. It proceeds in steps: the caller sets the pace and may stop at any time.
///
/// Any number of sweeps, writers and readers may run concurrently, in any number of processes. A sweep that is stopped,
/// killed or fails has deleted only garbage.
pub struct Sweep {
    backend: Arc<dyn Backend>,
    plan: SweepPlan,
    stage: Stage,
    swept: SweepReport,
}

enum Stage {
    Start,
    Manifests(Vec<Key>, ClaimTracker),
    Chunks(Group),
    /// Deletes quarantine marks of chunks that do not exist.
    Marks,
    Done,
}

impl Sweep {
    pub(crate) fn start(backend: &Arc<dyn Backend>, plan: SweepPlan) -> Self {
        Self { backend: Arc::clone(backend), plan, stage: Stage::Start, swept: SweepReport::default() }
    }

    /// Returns what it has done so far.
    pub fn swept(&self) -> SweepReport {
        self.swept
    }

    /// Does one step and returns whether more is left.
    ///
    /// `live` returns all manifests that are live *now*: those of all images, including the trash. It is called once a
    /// step, rarely twice. It must read the catalogue each time, and must not wait for a writer: writers may be waiting
    /// for this step. If it fails, the step fails and deletes nothing.
    ///
    /// Fails with `NotFound` if a live manifest is missing, before anything is deleted, and with `Damaged` if one
    /// cannot be read. What it references is unknown then, so no chunk is deleted until that image is repaired or
    /// deleted. After an error the next step starts over.
    pub fn step<E: From<Error>>(&mut self, live: Live<'_, E>) -> Result<bool, E> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Start) {
            Stage::Start => self.begin(live)?,
            Stage::Manifests(found, claims) => self.delete_manifests(found, claims, live)?,
            Stage::Chunks(group) => self.delete_chunks(group, live)?,
            Stage::Marks => self.delete_marks()?,
            Stage::Done => Stage::Done,
        };
        Ok(!matches!(self.stage, Stage::Done))
    }

    /// Runs all steps without a pause.
    pub fn run<E: From<Error>>(mut self, live: Live<'_, E>) -> Result<SweepReport, E> {
        while self.step(live)? {}
        Ok(self.swept)
    }

    fn begin<E: From<Error>>(&mut self, live: Live<'_, E>) -> Result<Stage, E> {
        self.swept.chunks_seen = 0;
        self.swept.prefixes_done = 0;
        if self.plan.dry_run {
            self.swept = SweepReport::default();
        }
        let found = self.backend.list_kind(Kind::Manifest, usize::MAX)?;
        // A row that names a missing manifest may be corrupted and mean one that exists.
        let listed: HashSet<&Key> = found.iter().collect();
        for id in live()?.into_iter().filter(|id| !listed.contains(&Key::Manifest(*id))) {
            match self.backend.head(Key::Manifest(id)) {
                // Another sweep may have removed it after its image was deleted.
                Err(Error::NotFound(key)) if live()?.contains(&id) => return Err(Error::NotFound(key).into()),
                Err(Error::NotFound(_)) => {}
                head => drop(head?),
            }
        }
        Ok(Stage::Manifests(found, ClaimTracker::start(self.backend.as_ref())?))
    }

    fn delete_manifests<E: From<Error>>(
        &mut self,
        mut found: Vec<Key>,
        mut claims: ClaimTracker,
        live: Live<'_, E>,
    ) -> Result<Stage, E> {
        let batch = found.split_off(found.len().saturating_sub(self.plan.batch_objects));
        // Before writers have to wait. Another sweep may have deleted some.
        let mut lengths = self.backend.lengths(&batch)?;
        claims.pause(&batch, &mut |_| ())?;
        let needed: HashSet<Key> = live()?.into_iter().chain(claims.manifests()).map(Key::Manifest).collect();
        lengths.retain(|(key, _)| !needed.contains(key));
        self.delete(&lengths, &mut claims)?;
        self.swept.manifests += lengths.len() as u64;
        claims.resume();
        if !found.is_empty() {
            return Ok(Stage::Manifests(found, claims));
        }
        // Before any chunk is deleted: a power cut must not bring back a manifest without its chunks.
        if self.swept.manifests > 0 && !self.plan.dry_run {
            self.backend.sync()?;
        }
        Ok(Stage::Chunks(self.begin_group(0)?))
    }

    fn begin_group(&mut self, first_prefix: u8) -> Result<Group> {
        let group = Group::begin(&self.backend, first_prefix, self.plan.census_chunks_max)?;
        self.swept.chunks_seen += group.marks.len() as u64;
        Ok(group)
    }

    fn delete_chunks<E: From<Error>>(&mut self, mut group: Group, live: Live<'_, E>) -> Result<Stage, E> {
        if group.mark_more(&self.backend)? {
            return Ok(Stage::Chunks(group));
        }
        let Some(candidates) = group.take_candidates(self.backend.as_ref(), self.plan.batch_objects)? else {
            let last_prefix = group.last_prefix;
            // Only one group fits in memory.
            drop(group);
            self.swept.prefixes_done = u16::from(last_prefix) + 1;
            return Ok(match last_prefix.checked_add(1) {
                Some(next) => Stage::Chunks(self.begin_group(next)?),
                None => Stage::Marks,
            });
        };
        let mut lengths = self.backend.lengths(&candidates)?;
        if group.pause_claims(&self.backend, &candidates, live)? {
            lengths.retain(|(key, _)| group.is_garbage(*key));
            self.delete(&lengths, &mut group.claims)?;
            self.swept.chunks += lengths.len() as u64;
            group.claims.resume();
        } else {
            group.candidates.extend(candidates);
        }
        Ok(Stage::Chunks(group))
    }

    fn delete_marks(&mut self) -> Result<Stage> {
        if self.plan.dry_run {
            return Ok(Stage::Done);
        }
        for mark in self.backend.list_kind(Kind::QuarantineMark, usize::MAX)? {
            let Key::QuarantineMark(id) = mark else { continue };
            match self.backend.head(Key::Chunk(id)) {
                Err(Error::NotFound(_)) => self.backend.delete(mark)?,
                head => drop(head?),
            }
        }
        Ok(Stage::Done)
    }

    /// Deletes objects while claims are paused.
    fn delete(&mut self, objects: &[(Key, u64)], claims: &mut ClaimTracker) -> Result<()> {
        let (keys, lengths): (Vec<Key>, Vec<u64>) = objects.iter().copied().unzip();
        if !self.plan.dry_run && !keys.is_empty() {
            let ended = self.backend.delete_if(&keys, &mut || claims.is_paused())?;
            if !ended {
                claims.leave(self.backend.as_ref())?;
            }
        }
        self.swept.bytes += lengths.iter().sum::<u64>();
        Ok(())
    }
}
