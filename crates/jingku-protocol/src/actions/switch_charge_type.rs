use serde::{Deserialize, Serialize};

use crate::bounded::InstanceId;
use crate::machine::ChargeType;
use crate::place::Place;

pub use crate::instance_done::InstanceDone as SwitchChargeTypeResponse;

/// Changes how an instance is charged. Nothing costs anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct SwitchChargeTypeRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// The new way. Not in the SDKs.
    pub dest_charge_type: ChargeType,
}
