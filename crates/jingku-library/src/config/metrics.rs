//! Settings of the metrics.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who can read the metrics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    /// A file with the token that readers send. A relative path is resolved against the folder of the configuration file.
    pub token_file: PathBuf,
}
