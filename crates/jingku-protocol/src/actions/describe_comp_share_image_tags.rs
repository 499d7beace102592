use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Lists the tags to choose from. The documents require a region, which is not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeCompShareImageTagsRequest;

/// The tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageTagsResponse {
    /// All of them.
    pub tags: Vec<String>,
    /// The tags of each category.
    pub tags_map: BTreeMap<String, Vec<String>>,
    /// The categories in the order to show them.
    pub tag_index: Vec<String>,
}
