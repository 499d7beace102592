//! What a check found.

use std::collections::HashMap;

use crate::key::Key;

/// The most objects that a check tells one by one. The manifests that others corrupt are told all the same.
pub const FINDINGS_MAX: usize = 1000;

/// The most manifests that are told of one object.
const AFFECTED_MAX: usize = 1000;

/// An object that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub key: Key,
    /// What is wrong, as a sentence without its full stop.
    pub reason: String,
    /// Which of the manifests that were asked for it affected, by their places, in order; at most a thousand of them.
    pub affected: Vec<usize>,
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Chunks in the store.
    pub chunks: u64,
    /// Bytes of those that can be looked at, as they are stored.
    pub bytes: u64,
    /// Of these, chunks that were read in full.
    pub read_chunks: u64,
    /// Bytes of those, as they are stored.
    pub read_bytes: u64,
    /// What is wrong, at most [`FINDINGS_MAX`], in the order it was found.
    pub findings: Vec<Finding>,
    /// How many objects there are with which something is wrong; with very many, at least.
    pub finding_count: u64,
    /// Damaged chunks that none of the manifests names. The next to store them heals them, and a sweep removes them.
    pub unreferenced_findings: u64,
    /// Whether each of the manifests is corrupt.
    pub corrupt: Vec<bool>,
    /// Sizes of the disks of the manifests, in bytes; `None` for one that cannot be read.
    pub logical_sizes: Vec<Option<u64>>,
    /// Where in `findings` an object is.
    pub(super) places: HashMap<Key, usize>,
}

impl CheckReport {
    pub(super) fn new(manifests: usize) -> Self {
        Self { corrupt: vec![false; manifests], logical_sizes: vec![None; manifests], ..Self::default() }
    }

    /// Whether nothing is wrong with what the manifests name.
    pub fn is_clean(&self) -> bool {
        self.finding_count == 0 && !self.corrupt.contains(&true)
    }

    pub(super) fn add(&mut self, key: Key, reason: impl FnOnce() -> String, manifest: usize) {
        self.corrupt[manifest] = true;
        let Some(place) = self.places.get(&key).copied() else {
            self.finding_count += 1;
            if self.findings.len() < FINDINGS_MAX {
                self.places.insert(key, self.findings.len());
                self.findings.push(Finding { key, reason: reason(), affected: vec![manifest] });
            }
            return;
        };
        let affected = &mut self.findings[place].affected;
        if affected.last() != Some(&manifest) && affected.len() < AFFECTED_MAX {
            affected.push(manifest);
        }
    }
}
