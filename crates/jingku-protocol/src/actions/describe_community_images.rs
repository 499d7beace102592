use serde::{Deserialize, Serialize};

use super::{Action, CommunityQuery, ImageGroup, Request};
use crate::bind::ParamError;
use crate::image::Image;
use crate::params::Params;
use crate::tree::Tree;

/// Lists what is in the community: groups of published versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeCommunityImagesRequest {
    /// Which groups, and in what order.
    pub query: CommunityQuery,
}

/// A page of groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCommunityImagesResponse {
    /// Groups that match, on all pages.
    pub total_count: i64,
    /// Groups of this page with a version that can be used.
    pub available_total_count: i64,
    /// The groups of this page, as the real service sends them.
    #[serde(rename = "CompshareImageGroup")]
    pub groups: Vec<ImageGroup>,
    /// All versions in these groups, as the documents have it.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

impl Request for DescribeCommunityImagesRequest {
    const ACTION: Action = Action::DescribeCommunityImages;
    type Response = DescribeCommunityImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { query: CommunityQuery::bind(tree)? })
    }

    fn params(&self) -> Params {
        self.query.add_to(Params::for_action(Self::ACTION.name()))
    }
}
