use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::image::Owner;
use crate::place::Place;

/// Lists the accounts that an image of the caller is shared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareImageShareAccountsRequest {
    /// Where the image is; the documents have only a region.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// The accounts, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageShareAccountsResponse {
    /// One entry an account; its number is text, because the Go SDK refuses a number.
    pub account_set: Vec<Owner>,
}
