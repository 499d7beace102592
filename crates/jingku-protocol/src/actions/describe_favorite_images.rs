use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::paging::Paging;
use crate::place::Place;

/// Lists the favourites of the caller: of each group the newest version. Newer documents have it; the real service
/// answers 161.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeFavoriteImagesRequest {
    /// Narrows the list to images held there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of images, the favourite marked last first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeFavoriteImagesResponse {
    /// Favourites that can be seen, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}
