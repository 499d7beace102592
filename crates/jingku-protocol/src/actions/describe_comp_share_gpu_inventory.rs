use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Asks how many GPUs are free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareGpuInventoryRequest {
    /// Narrows the reply to zones there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
}

/// The free GPUs. The SDKs declare the first member as text; the service's own samples have objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareGpuInventoryResponse {
    /// By pool, always `Exclusive`; by the zone's number; by type.
    pub gpu_inventory_by_zone: BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>,
    /// Types without spot instances; none.
    pub spot_unsupported_gpu_types: Vec<String>,
    /// Unix seconds.
    pub update_time: i64,
}
