//! The result of a check.

use std::collections::HashMap;

use crate::key::Key;

/// The most objects that a check reports one by one. Manifests affected by others are still reported.
pub const FINDINGS_MAX: usize = 1000;

/// The most manifests reported for one object.
const AFFECTED_MAX: usize = 1000;

/// An object that is missing or corrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub key: Key,
    /// What is wrong, as a sentence without the full stop.
    pub reason: String,
    /// Indexes of the given manifests that it affects, in order, at most a thousand.
    pub affected: Vec<usize>,
}

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Chunks in the store.
    pub chunks: u64,
    /// Stored bytes of those that could be examined.
    pub bytes: u64,
    /// Chunks that were read in full.
    pub read_chunks: u64,
    /// Stored bytes of those.
    pub read_bytes: u64,
    /// At most [`FINDINGS_MAX`] findings, in the order they were made.
    pub findings: Vec<Finding>,
    /// Number of findings; a lower bound if there are very many.
    pub finding_count: u64,
    /// Corrupted chunks that no given manifest references. The next write of the same content repairs them, and a sweep
    /// removes them.
    pub unreferenced_findings: u64,
    /// Whether each given manifest is corrupted.
    pub corrupt: Vec<bool>,
    /// Disk sizes of the given manifests in bytes; `None` if unreadable.
    pub logical_sizes: Vec<Option<u64>>,
    /// Index of each object in `findings`.
    pub(super) places: HashMap<Key, usize>,
}

impl CheckReport {
    pub(super) fn new(manifests: usize) -> Self {
        Self { corrupt: vec![false; manifests], logical_sizes: vec![None; manifests], ..Self::default() }
    }

    /// Returns whether everything that the manifests reference is intact.
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
