use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::image::Owner;
use crate::params::Params;
use crate::tree::Tree;

/// Lists the accounts that an image of the caller is shared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeCompShareImageShareAccountsRequest {
    /// Where the image is; the documents have only a region.
    pub place: Place,
    /// The image.
    pub image_id: String,
}

/// The accounts, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageShareAccountsResponse {
    /// One entry an account; its number is text, because the Go SDK refuses a number.
    pub account_set: Vec<Owner>,
}

impl Request for DescribeCompShareImageShareAccountsRequest {
    const ACTION: Action = Action::DescribeCompShareImageShareAccounts;
    type Response = DescribeCompShareImageShareAccountsResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        Ok(Self { place: Place::bind(tree)?, image_id })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
    }
}
