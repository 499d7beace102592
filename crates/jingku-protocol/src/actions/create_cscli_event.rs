use serde::{Deserialize, Serialize};

use crate::bounded::Ignored;

pub use crate::done::Done as CreateCscliEventResponse;

/// Telemetry that the official CLI sends after every command. The server discards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCscliEventRequest {
    /// The command that ran.
    #[serde(skip_serializing)]
    pub command: Ignored,
    /// The version of the CLI.
    #[serde(rename = "CLIVersion", skip_serializing)]
    pub cli_version: Ignored,
    /// The operating system.
    #[serde(rename = "OS", skip_serializing)]
    pub os: Ignored,
    /// When the command ran.
    #[serde(skip_serializing)]
    pub occurred_at: Ignored,
}
