use serde::{Deserialize, Serialize};

use crate::image::SoftwarePort;

/// Lists the well-known software and the port each listens on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeCompShareSoftwarePortRequest;

/// The software known by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareSoftwarePortResponse {
    /// One entry a piece of software.
    pub software_port: Vec<SoftwarePort>,
}
