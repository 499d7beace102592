//! Random operations of writers and sweeps on several machines that share a store, against a model.
//!
//! Machines stall until their claims expire, die, and lose the answers of their deletions, which take effect later.

mod bucket;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jingku_catalog::{Catalog, testing};
use jingku_chunks::{
    Backend, ClaimTicket, Cut, Error, GcGuard, Key, Kind, ManifestId, Piece, Result, Sealed, Store, Sweep,
    SweepPlan, Writer, Written,
};
use tokio::runtime::{Handle, Runtime};

use super::CatalogClaims;
use super::timing::Timing;
use crate::lock::lock;
use bucket::{Machine, Objects};

const MACHINES: usize = 3;
const OPERATIONS: usize = 120;
const CUT: Cut = Cut { chunk_size: 4096, zstd_level: 1 };
/// Small steps, so that small stores have many.
const PLAN: SweepPlan = SweepPlan { dry_run: false, census_chunks_max: 2, batch_objects: 2 };
/// Claims last until the model expires them. A writer that would have to wait fails instead: the model is one thread.
const TIMING: Timing = Timing { lease_secs: 3600, quarantine_secs: 3600, wait: Duration::ZERO };

enum Making {
    Pushing(Box<Writer>, Vec<u8>, usize),
    Sealed(Sealed, Vec<u8>),
    Written(Written, Vec<u8>),
    /// A copy of a row: its manifest is guarded while the row may be deleted.
    Guarded(GcGuard, ManifestId),
}

struct Model {
    dice: Cell<u64>,
    runtime: Handle,
    catalog: Catalog,
    objects: Objects,
    machines: Vec<Store>,
    /// How many ids of claims and announcements each machine has used.
    ids: Vec<Arc<AtomicU64>>,
    makings: RefCell<Vec<Making>>,
    sweeps: RefCell<Vec<Sweep>>,
    /// The images and their manifests.
    rows: RefCell<BTreeMap<u64, ManifestId>>,
    contents: RefCell<BTreeMap<ManifestId, Vec<u8>>>,
    next_row: Cell<u64>,
    expired: Cell<u64>,
}

impl Model {
    fn new(seed: u64, catalog: &Catalog, runtime: &Handle) -> Self {
        let objects = Objects::default();
        let machine = |number| {
            let claims = CatalogClaims::with_timing(catalog, owner(seed, number), runtime.clone(), TIMING);
            let ids = Arc::clone(&claims.next);
            // One machine looks always, one after a miss, one never.
            let misses_max = [None, Some(1), Some(0)][number];
            (Store::new(Machine { objects: objects.clone(), claims, misses_max }), ids)
        };
        let (machines, ids) = (0..MACHINES).map(machine).unzip();
        Self {
            dice: Cell::new(seed.wrapping_mul(0x1234_5678_9abc_def1)),
            runtime: runtime.clone(),
            catalog: catalog.clone(),
            machines,
            ids,
            objects,
            makings: RefCell::default(),
            sweeps: RefCell::default(),
            rows: RefCell::default(),
            contents: RefCell::default(),
            next_row: Cell::new(0),
            expired: Cell::new(0),
        }
    }

    fn roll(&self, end: usize) -> usize {
        self.dice.set(self.dice.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mixed = (self.dice.get() ^ (self.dice.get() >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    fn machine(&self) -> &Store {
        &self.machines[self.roll(MACHINES)]
    }

    fn operate(&self, seed: u64) {
        match self.roll(24) {
            0..=11 => self.work(),
            12 if self.sweeps.borrow().len() < 2 => self.sweeps.borrow_mut().push(self.machine().sweep(PLAN)),
            // The machine of a sweep is killed between two steps.
            13 => drop(self.sweeps.borrow_mut().pop()),
            // A machine stalls, or loses the database, until its claims have expired.
            14 => self.expire(seed),
            15 => *lock(&self.objects.loses_answers) = true,
            16 => self.deliver(),
            17 if self.roll(3) == 0 => self.end_quarantine(seed),
            _ => self.sweep(),
        }
    }

    /// One operation of a writer, or of somebody who deletes an image.
    fn work(&self) {
        let count = self.makings.borrow().len();
        match self.roll(12) {
            0..=2 if count < 4 => self.begin(),
            3 if count < 4 => self.guard_row(),
            4 => self.delete_row(),
            // It is killed: nobody releases its claim.
            5 if count > 0 => std::mem::forget(self.take_making()),
            _ if count > 0 => self.advance(),
            _ => {}
        }
    }

    fn begin(&self) {
        let mut disk = Vec::new();
        for _ in 0..=self.roll(5) {
            let piece = u8::try_from(self.roll(6)).unwrap();
            disk.extend([piece; 4096]);
        }
        // Fails if its claim begins while the database is away, which the model does not have.
        let writer = self.machine().writer_with(disk.len() as u64, CUT).unwrap();
        self.makings.borrow_mut().push(Making::Pushing(Box::new(writer), disk, 0));
    }

    fn take_making(&self) -> Making {
        let chosen = self.roll(self.makings.borrow().len());
        self.makings.borrow_mut().swap_remove(chosen)
    }

    fn advance(&self) {
        let next = match self.take_making() {
            Making::Pushing(mut writer, disk, at) if at < disk.len() => {
                let pushed = writer.push(disk[at..at + 4096].to_vec());
                pushed.map(|()| Some(Making::Pushing(writer, disk, at + 4096)))
            }
            Making::Pushing(writer, disk, _) => {
                writer.finish_chunks().map(|sealed| Some(Making::Sealed(sealed, disk)))
            }
            Making::Sealed(sealed, disk) => {
                sealed.write_manifest().map(|written| Some(Making::Written(written, disk)))
            }
            Making::Written(written, disk) => {
                self.commit(written.manifest, &written.guard, Some(disk));
                Ok(None)
            }
            Making::Guarded(guard, id) => {
                // Checked afterwards, as `Store::guard` requires. A copy is one transaction, so its claim does not matter.
                if self.live().contains(&id) {
                    self.add_row(id);
                }
                drop(guard);
                Ok(None)
            }
        };
        // An error ends the job; another one would start over.
        self.makings.borrow_mut().extend(next.ok().flatten());
    }

    /// The transaction that makes an image `Available`: see `Catalog::complete_job`.
    fn commit(&self, id: ManifestId, guard: &GcGuard, disk: Option<Vec<u8>>) {
        let ClaimTicket { id: claim, records } = guard.ticket().unwrap();
        let claims = self.runtime.block_on(self.catalog.claims()).unwrap();
        if claims.contains(&(claim, records)) {
            self.add_row(id);
            self.contents.borrow_mut().extend(disk.map(|disk| (id, disk)));
        } else {
            self.expired.set(self.expired.get() + 1);
        }
    }

    fn add_row(&self, id: ManifestId) {
        self.rows.borrow_mut().insert(self.next_row.get(), id);
        self.next_row.set(self.next_row.get() + 1);
    }

    fn pick_row(&self) -> Option<u64> {
        let numbers: Vec<u64> = self.rows.borrow().keys().copied().collect();
        if numbers.is_empty() { None } else { Some(numbers[self.roll(numbers.len())]) }
    }

    fn guard_row(&self) {
        let Some(row) = self.pick_row() else { return };
        let id = self.rows.borrow()[&row];
        let guard = self.machine().guard(&[id]);
        self.makings.borrow_mut().extend(guard.ok().map(|guard| Making::Guarded(guard, id)));
    }

    fn delete_row(&self) {
        let row = self.pick_row();
        row.map(|row| self.rows.borrow_mut().remove(&row));
    }

    fn expire(&self, seed: u64) {
        let owner = owner(seed, self.roll(MACHINES));
        self.runtime.block_on(self.catalog.renew_claims(&owner, -10)).unwrap();
    }

    /// Deletions take effect that their sweeps have given up.
    fn deliver(&self) {
        for key in std::mem::take(&mut *lock(&self.objects.late)) {
            self.objects.memory.delete(key).unwrap();
        }
    }

    /// The object store rejects late deletions from now on, and the announcements end.
    fn end_quarantine(&self, seed: u64) {
        lock(&self.objects.late).clear();
        self.runtime.block_on(async {
            if self.catalog.condemned().await.unwrap().is_empty() {
                return;
            }
            for (machine, ids) in self.ids.iter().enumerate() {
                for number in 0..ids.load(Ordering::Relaxed) {
                    self.catalog.acquit(&format!("{}-{number}", owner(seed, machine))).await.unwrap();
                }
            }
        });
    }

    fn sweep(&self) {
        let count = self.sweeps.borrow().len();
        if count == 0 {
            return;
        }
        let chosen = self.roll(count);
        let mut sweep = self.sweeps.borrow_mut().swap_remove(chosen);
        let mut live = || {
            // Others work between its announcement and the list of images, and between that and the deletions.
            (0..self.roll(4)).for_each(|_| self.work());
            let live = self.live();
            (0..self.roll(4)).for_each(|_| self.work());
            Ok::<_, Error>(live.into_iter().collect())
        };
        // After an error, the next step starts over.
        if sweep.step(&mut live).unwrap_or(true) {
            self.sweeps.borrow_mut().push(sweep);
        }
    }

    fn live(&self) -> BTreeSet<ManifestId> {
        self.rows.borrow().values().copied().collect()
    }

    fn check(&self, seed: u64) {
        for id in self.live() {
            let read = read(&self.machines[0], id);
            let content = &self.contents.borrow()[&id];
            assert!(read.is_ok_and(|read| read == *content), "image {id} is corrupt, seed {seed}");
        }
    }

    /// Everything ends, and a last sweep leaves exactly what the images need.
    fn end(&self, seed: u64) {
        while !self.makings.borrow().is_empty() {
            self.advance();
        }
        self.deliver();
        self.end_quarantine(seed);
        *lock(&self.objects.loses_answers) = false;
        for machine in 0..MACHINES {
            self.runtime.block_on(self.catalog.renew_claims(&owner(seed, machine), -10)).unwrap();
        }
        self.check(seed);
        let live = self.live();
        let sweep = self.machines[0].sweep(PLAN);
        sweep.run(&mut || Ok::<_, Error>(live.iter().copied().collect())).unwrap();
        self.check(seed);
        let manifests = self.objects.memory.list_kind(Kind::Manifest, usize::MAX).unwrap();
        assert_eq!(manifests, live.into_iter().map(Key::Manifest).collect::<Vec<_>>(), "seed {seed}");
    }
}

fn owner(seed: u64, machine: usize) -> String {
    format!("{seed}-{machine}")
}

fn read(store: &Store, id: ManifestId) -> Result<Vec<u8>> {
    let manifest = store.open_manifest(id)?;
    let mut disk = Vec::new();
    for piece in store.read(&manifest)? {
        match piece? {
            Piece::Zero(length) => disk.resize(disk.len() + usize::try_from(length).unwrap(), 0),
            Piece::Data(bytes) => disk.extend(bytes),
        }
    }
    Ok(disk)
}

fn run(catalog: &Catalog, runtime: &Handle, seeds: std::ops::Range<u64>) -> u64 {
    let (mut swept, mut expired, mut images) = (0, 0, 0);
    for seed in seeds {
        let model = Model::new(seed, catalog, runtime);
        for _ in 0..OPERATIONS {
            model.operate(seed);
        }
        model.check(seed);
        swept += model.contents.borrow().len() - model.live().len();
        images += model.live().len();
        expired += model.expired.get();
        model.end(seed);
    }
    println!("{images} images, {swept} deleted ones, {expired} expired claims");
    assert!(images > 0 && swept > 0, "too little was tested");
    expired
}

#[test]
fn several_machines_lose_no_image() {
    let runtime = Runtime::new().unwrap();
    let catalog = runtime.block_on(Catalog::open_sqlite_in_memory()).unwrap();
    assert!(run(&catalog, runtime.handle(), 0..100) > 0, "no claim expired");
}

#[test]
fn several_machines_lose_no_image_on_postgres() {
    let runtime = Runtime::new().unwrap();
    let Some(url) = runtime.block_on(testing::postgres_database()) else { return };
    let catalog = runtime.block_on(Catalog::connect_postgres(&url, None)).unwrap();
    run(&catalog, runtime.handle(), 1000..1020);
}
