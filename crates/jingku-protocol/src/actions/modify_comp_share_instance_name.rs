use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, InstanceName};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as ModifyCompShareInstanceNameResponse;

/// Renames an instance, in any state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ModifyCompShareInstanceNameRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// The name. Need not be unique.
    pub name: InstanceName,
}
