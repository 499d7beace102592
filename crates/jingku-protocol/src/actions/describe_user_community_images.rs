use serde::{Deserialize, Serialize};

use super::{Action, CommunityQuery, ImageGroup, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Lists what one account has in the community.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeUserCommunityImagesRequest {
    /// The account.
    pub account: i64,
    /// Which groups, and in what order.
    pub query: CommunityQuery,
}

/// A page of groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeUserCommunityImagesResponse {
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

impl Request for DescribeUserCommunityImagesRequest {
    const ACTION: Action = Action::DescribeUserCommunityImages;
    type Response = DescribeUserCommunityImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            account: tree.required_integer("TargetTopOrganizationId")?,
            query: CommunityQuery::bind(tree)?,
        })
    }

    fn params(&self) -> Params {
        self.query
            .add_to(Params::for_action(Self::ACTION.name()))
            .number("TargetTopOrganizationId", Some(self.account))
    }
}
