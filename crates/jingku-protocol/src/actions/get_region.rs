use serde::{Deserialize, Serialize};

/// Lists regions and zones, one entry a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetRegionRequest;

/// The regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetRegionResponse {
    /// One entry a zone.
    pub regions: Vec<Region>,
}

/// A zone with its region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Region {
    /// The region's number.
    pub region_id: i64,
    /// The region's name for people.
    pub region_name: String,
    /// Whether a client without a choice should take it.
    pub is_default: bool,
    /// Rights as a bit set in text; all set.
    pub bit_maps: String,
    /// The region.
    pub region: String,
    /// The zone.
    pub zone: String,
}
