//! What a server remembers of its own upkeep: small files of JSON in the data folder. Lost, they cost time and nothing else.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::blocking;
use crate::data_dir::DataDir;

impl DataDir {
    /// What was kept under a name. What cannot be read counts as nothing.
    pub(crate) fn state<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = blocking::in_place(|| std::fs::read_to_string(self.path().join(name))).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps something under a name.
    pub(crate) fn keep_state<T: Serialize>(&self, name: &str, state: &T) {
        let text = serde_json::to_string(state).expect("states serialise");
        // A full disk is told of often enough.
        if let Err(error) = self.replace(name, &text) {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot write down a state");
        }
    }
}
