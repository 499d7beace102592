use serde::{Deserialize, Serialize};

use crate::community_query::{CommunityQuery, ImageGroup};

/// Lists the caller's own groups, with versions in every state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeSelfCommunityImagesRequest {
    /// Which groups, and in what order.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub query: CommunityQuery,
}

/// A page of groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeSelfCommunityImagesResponse {
    /// Groups that match, on all pages.
    pub total_count: i64,
    /// Groups of this page with a version that can be used.
    pub available_total_count: i64,
    /// The groups of this page, as the real service sends them.
    #[serde(rename = "CompshareImageGroup")]
    pub groups: Vec<ImageGroup>,
    /// The same groups, as the documents have it.
    pub image_set_group: Vec<ImageGroup>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}
