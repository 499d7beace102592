//! Settings of traces.

use serde::{Deserialize, Serialize};

/// Where traces are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// The base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`.
    #[serde(serialize_with = "super::database_url::collector")]
    pub otlp: Option<String>,
}
