use serde::{Deserialize, Serialize};

/// Lists the zones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeCompShareSupportZoneRequest;

/// The zones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareSupportZoneResponse {
    /// One entry a zone.
    pub zone_info: Vec<Zone>,
}

/// A zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Zone {
    /// The region it belongs to.
    pub region: String,
    /// Its name.
    pub zone: String,
    /// The region's number.
    pub region_id: i64,
    /// The zone's number.
    pub zone_id: i64,
    /// For people.
    pub describe: String,
    /// Whether containers run there.
    pub is_pod: bool,
}
