use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, Word, or_default};
use crate::machine::{ChargeType, DiskSpecs};
use crate::place::Place;

/// Asks which sizes of instances can be created now. The size that is wanted is not among the parameters: the official
/// CLI looks for it in the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CheckCompShareResourceCapacityRequest {
    /// Where.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Such as `4090`.
    pub gpu_type: Word,
    /// Any way of charging has the same capacity.
    pub charge_type: Option<ChargeType>,
    /// Any disks.
    #[serde(default, deserialize_with = "or_default")]
    pub disks: DiskSpecs,
    /// Any image.
    #[serde(default, skip_serializing)]
    pub comp_share_image_id: Ignored,
    /// Always `G`.
    #[serde(default, skip_serializing)]
    pub machine_type: Ignored,
    /// Such as `Auto`.
    #[serde(default, skip_serializing)]
    pub minimal_cpu_platform: Ignored,
}

/// Sizes of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CheckCompShareResourceCapacityResponse {
    /// The official CLI takes the first that fits what its user asked for.
    pub specs: Vec<InstanceSpec>,
}

/// A size of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct InstanceSpec {
    /// GPUs.
    pub gpu: i64,
    /// Cores.
    pub cpu: i64,
    /// GB.
    pub mem: i64,
    /// Whether such an instance can be created now.
    pub resource_enough: bool,
}
