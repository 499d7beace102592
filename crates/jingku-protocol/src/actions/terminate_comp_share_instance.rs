use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, InstanceId};
use crate::place::Place;

/// Deletes a stopped instance with its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct TerminateCompShareInstanceRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// Instances have no further disks.
    #[serde(default, rename = "ReleaseUDisk", skip_serializing)]
    pub release_disks: Ignored,
}

/// The instance is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct TerminateCompShareInstanceResponse {
    /// The instance's id.
    #[serde(rename = "UHostId")]
    pub instance_id: String,
    /// Always `No`: there is no recycle bin for instances.
    pub in_recycle: String,
}
