use serde::{Deserialize, Serialize};

/// Success, and the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InstanceDone {
    /// The instance's id.
    #[serde(rename = "UHostId")]
    pub instance_id: String,
}
