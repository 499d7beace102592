//! What a check found.

use std::collections::HashMap;

use crate::key::Key;

/// The most objects that a check tells one by one. The manifests that others hurt are told all the same.
pub const FLAWS_MAX: usize = 1000;

/// The most manifests that are told of one object.
const NAMED_BY_MAX: usize = 1000;

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
    pub(super) places: HashMap<Key, usize>,
}

impl Findings {
    pub(super) fn new(manifests: usize) -> Self {
        Self { hurt: vec![false; manifests], logical_sizes: vec![None; manifests], ..Self::default() }
    }

    /// Whether nothing is wrong with what the manifests name.
    pub fn is_clean(&self) -> bool {
        self.flaw_count == 0 && !self.hurt.contains(&true)
    }

    pub(super) fn add(&mut self, key: Key, reason: impl FnOnce() -> String, manifest: usize) {
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
