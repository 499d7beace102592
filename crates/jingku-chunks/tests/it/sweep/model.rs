//! Random operations of several writers and sweeps, interleaved at random, against a model.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jingku_chunks::{
    Error, Faulty, GcGuard, Kind, ManifestId, Memory, Sealed, Store, Sweep, Writer, Written,
};

use super::{PLAN, assert_exactly};
use crate::sample::{self, noise};

/// The number of distinct chunks. Disks share most of them.
const PIECES: u64 = 6;
const SEEDS: u64 = 2000;
const OPERATIONS: usize = 80;

enum Making {
    Pushing(Box<Writer>, Vec<u8>, usize),
    Sealed(Sealed, Vec<u8>),
    Written(Written, Vec<u8>),
    /// A copy of a row: its manifest is guarded while the row may be deleted.
    Guarded(GcGuard, ManifestId),
}

struct Model {
    dice: u64,
    backend: Arc<Faulty<Memory>>,
    store: Store,
    makings: Vec<Making>,
    sweeps: Vec<Sweep>,
    /// The catalogue: rows and their manifests.
    rows: RefCell<BTreeMap<u64, ManifestId>>,
    /// Deleted rows that can be restored; they need their manifests as well.
    trash: RefCell<BTreeMap<u64, ManifestId>>,
    contents: BTreeMap<ManifestId, Vec<u8>>,
    next_row: u64,
}

impl Model {
    fn new(seed: u64) -> Self {
        let backend = Arc::new(Faulty::new(Memory::new()));
        let store = Store::new(Arc::clone(&backend));
        let (makings, sweeps) = (Vec::new(), Vec::new());
        let (rows, trash, contents) = (RefCell::default(), RefCell::default(), BTreeMap::new());
        Self { dice: seed, backend, store, makings, sweeps, rows, trash, contents, next_row: 0 }
    }

    fn roll(&mut self, end: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    fn operate(&mut self) {
        match self.roll(24) {
            0..=2 if self.makings.len() < 3 => self.begin(),
            0..=8 => self.advance(),
            9 => self.abandon(),
            10 | 14 => self.delete_row(),
            15 => self.restore_row(),
            16 | 17 => self.forget_row(),
            18 if self.makings.len() < 3 => self.hold_row(),
            11 if self.sweeps.len() < 2 => self.sweeps.push(self.store.sweep(PLAN)),
            12 => {
                // The store sees it as killed.
                let _ = self.sweeps.pop();
            }
            13 if self.roll(4) == 0 => self.cut_power(),
            _ => self.sweep(),
        }
    }

    fn begin(&mut self) {
        let length = 1 + self.roll(5);
        let mut disk = Vec::new();
        for _ in 0..length {
            let piece = self.roll(usize::try_from(PIECES).unwrap()) as u64;
            disk.extend(if piece == 0 { vec![0; 4096] } else { noise(piece, 4096) });
        }
        let writer = self.store.writer_with(disk.len() as u64, sample::CUT).unwrap();
        self.makings.push(Making::Pushing(Box::new(writer), disk, 0));
    }

    fn advance(&mut self) {
        if self.makings.is_empty() {
            return;
        }
        let chosen = self.roll(self.makings.len());
        let next = match self.makings.swap_remove(chosen) {
            Making::Pushing(mut writer, disk, at) if at < disk.len() => {
                writer.push(disk[at..at + 4096].to_vec()).unwrap();
                Making::Pushing(writer, disk, at + 4096)
            }
            Making::Pushing(writer, disk, _) => Making::Sealed(writer.finish_chunks().unwrap(), disk),
            Making::Sealed(sealed, disk) => Making::Written(sealed.write_manifest().unwrap(), disk),
            Making::Written(written, disk) => {
                self.rows.borrow_mut().insert(self.next_row, written.manifest);
                self.next_row += 1;
                self.contents.insert(written.manifest, disk);
                return;
            }
            Making::Guarded(guard, id) => {
                // Checked afterwards, as `Store::guard` requires.
                if self.live().contains(&id) {
                    self.rows.borrow_mut().insert(self.next_row, id);
                    self.next_row += 1;
                }
                drop(guard);
                return;
            }
        };
        self.makings.push(next);
    }

    fn abandon(&mut self) {
        if !self.makings.is_empty() {
            let chosen = self.roll(self.makings.len());
            drop(self.makings.swap_remove(chosen));
        }
    }

    fn hold_row(&mut self) {
        let known = self.rows.borrow().clone();
        if let Some(row) = self.pick(&known) {
            let id = self.rows.borrow()[&row];
            self.makings.push(Making::Guarded(self.store.guard(&[id]).unwrap(), id));
        }
    }

    fn delete_row(&mut self) {
        let known = self.rows.borrow().clone();
        if let Some(row) = self.pick(&known) {
            let id = self.rows.borrow_mut().remove(&row).unwrap();
            self.trash.borrow_mut().insert(row, id);
        }
    }

    fn restore_row(&mut self) {
        let known = self.trash.borrow().clone();
        if let Some(row) = self.pick(&known) {
            let id = self.trash.borrow_mut().remove(&row).unwrap();
            self.rows.borrow_mut().insert(row, id);
        }
    }

    fn forget_row(&mut self) {
        let known = self.trash.borrow().clone();
        if let Some(row) = self.pick(&known) {
            self.trash.borrow_mut().remove(&row);
        }
    }

    fn pick(&mut self, of: &BTreeMap<u64, ManifestId>) -> Option<u64> {
        let numbers: Vec<u64> = of.keys().copied().collect();
        if numbers.is_empty() { None } else { Some(numbers[self.roll(numbers.len())]) }
    }

    fn cut_power(&mut self) {
        self.makings.clear();
        self.sweeps.clear();
        let seed = self.roll(1 << 30) as u64;
        self.backend.cut_power(seed).unwrap();
    }

    fn sweep(&mut self) {
        if self.sweeps.is_empty() {
            return;
        }
        let chosen = self.roll(self.sweeps.len());
        let (rows, trash) = (&self.rows, &self.trash);
        let mut live =
            || Ok::<_, Error>(rows.borrow().values().chain(trash.borrow().values()).copied().collect());
        if !self.sweeps[chosen].step(&mut live).unwrap() {
            self.sweeps.swap_remove(chosen);
        }
    }

    fn live(&self) -> BTreeSet<ManifestId> {
        self.rows.borrow().values().chain(self.trash.borrow().values()).copied().collect()
    }

    fn check(&self, seed: u64) {
        for id in self.live() {
            let read = sample::read(&self.store, id);
            assert!(read.is_ok_and(|read| read == self.contents[&id]), "image {id} is corrupt, seed {seed}");
        }
    }
}

#[test]
fn random_operations_match_the_model() {
    let mut deleted = 0;
    for seed in 0..SEEDS {
        let mut model = Model::new(seed.wrapping_mul(0x1234_5678_9abc_def1));
        for _ in 0..OPERATIONS {
            model.operate();
        }
        model.check(seed);
        // Everything in progress ends.
        while !model.makings.is_empty() {
            model.advance();
            model.sweep();
        }
        model.check(seed);
        let before = sample::list(&model.backend, Kind::Chunk).len();
        model.sweeps = vec![model.store.sweep(PLAN)];
        while !model.sweeps.is_empty() {
            model.sweep();
        }
        model.check(seed);
        assert_exactly(&model.backend, &model.store, &model.live());
        deleted += before - sample::list(&model.backend, Kind::Chunk).len();
    }
    assert!(deleted > 1000, "only {deleted} chunks were swept, which proves little");
}
