use serde::{Deserialize, Serialize};

use crate::community_query::CommunityQuery;

pub use super::describe_self_community_images::DescribeSelfCommunityImagesResponse as DescribeUserCommunityImagesResponse;

/// Lists what one account has in the community.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeUserCommunityImagesRequest {
    /// The account.
    #[serde(rename = "TargetTopOrganizationId")]
    pub account: i64,
    /// Which groups, and in what order.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub query: CommunityQuery,
}
