use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Lists the types of instances by name. The documents require a region, which is not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeCompShareMachineTypeFamiliesRequest;

/// The types. The SDKs declare `MachineTypes` as a list of texts; the service's own documents and samples have objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareMachineTypeFamiliesResponse {
    /// All types.
    pub machine_types: Vec<MachineTypeFamily>,
    /// The types of each zone, by the zone's number.
    pub machine_types_map: BTreeMap<String, Vec<MachineTypeFamily>>,
}

/// A type of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MachineTypeFamily {
    /// Such as `4090`.
    pub name: String,
    /// For people.
    pub description: String,
}
