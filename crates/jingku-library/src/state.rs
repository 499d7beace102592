//! The saved state of maintenance tasks: small JSON files in the data folder. Losing one costs only time.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::blocking;
use crate::data_dir::DataDir;

impl DataDir {
    /// The state of this name; `None` if it cannot be read.
    pub(crate) fn state<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = blocking::in_place(|| std::fs::read_to_string(self.path().join(name))).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Saves the state of this name.
    pub(crate) fn keep_state<T: Serialize>(&self, name: &str, state: &T) {
        let text = serde_json::to_string(state).expect("states serialise");
        // A full disk is reported elsewhere.
        if let Err(error) = self.replace(name, &text) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot save the state of a maintenance task"
            );
        }
    }
}
