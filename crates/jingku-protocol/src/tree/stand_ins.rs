//! A request that nobody sent: it has a text for every parameter, and remembers which were read and as what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Kind;

/// What such a request has in place of parameters.
#[derive(Clone, Debug)]
pub(crate) struct StandIns {
    shared: Arc<Shared>,
    /// What comes before the names read here: empty, or a list of objects with `.N.`.
    prefix: String,
}

#[derive(Debug)]
struct Shared {
    texts: BTreeMap<String, String>,
    other: String,
    absent: BTreeSet<String>,
    asked: Mutex<BTreeMap<String, Kind>>,
}

impl StandIns {
    /// Every parameter but those in `absent`, with its text in `texts`, or else `other`.
    pub(crate) fn new(texts: BTreeMap<String, String>, other: &str, absent: BTreeSet<String>) -> Self {
        let shared = Shared { texts, other: other.to_owned(), absent, asked: Mutex::default() };
        Self { shared: Arc::new(shared), prefix: String::new() }
    }

    /// The names that were read, each with the shape that was expected.
    pub(crate) fn asked(&self) -> BTreeMap<String, Kind> {
        // The map is whole even when a thread panicked.
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn text(&self, name: &str, kind: Kind) -> Option<&str> {
        let name = self.note(name, kind);
        let text = self.shared.texts.get(&name).unwrap_or(&self.shared.other);
        (!self.shared.absent.contains(&name)).then_some(text)
    }

    /// The one element of a list of objects.
    pub(super) fn element_of(&self, name: &str) -> Option<Self> {
        let name = self.note(name, Kind::Objects);
        let prefix = format!("{name}.N.");
        (!self.shared.absent.contains(&name)).then(|| Self { shared: Arc::clone(&self.shared), prefix })
    }

    fn note(&self, name: &str, kind: Kind) -> String {
        let name = format!("{}{name}", self.prefix);
        let mut asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(name.clone(), kind);
        name
    }
}
