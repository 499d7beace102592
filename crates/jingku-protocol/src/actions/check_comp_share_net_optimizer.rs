use serde::{Deserialize, Serialize};

/// Asks whether the account has the cloud's network accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckCompShareNetOptimizerRequest;

/// It never has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CheckCompShareNetOptimizerResponse {
    /// `false`.
    pub optimized: bool,
}
