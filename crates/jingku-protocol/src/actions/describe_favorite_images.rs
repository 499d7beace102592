use serde::{Deserialize, Serialize};

use super::{Action, Paging, Place, Request};
use crate::bind::ParamError;
use crate::image::Image;
use crate::params::Params;
use crate::tree::Tree;

/// Lists the favourites of the caller: of each group the newest version. Newer documents have it; the real service
/// answers 161.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeFavoriteImagesRequest {
    /// Narrows the list to images held there.
    pub place: Place,
    /// Which page.
    pub paging: Paging,
}

/// A page of images, the favourite marked last first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeFavoriteImagesResponse {
    /// Favourites that can be seen, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

impl Request for DescribeFavoriteImagesRequest {
    const ACTION: Action = Action::DescribeFavoriteImages;
    type Response = DescribeFavoriteImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { place: Place::bind(tree)?, paging: Paging::bind(tree)? })
    }

    fn params(&self) -> Params {
        self.paging.add_to(self.place.add_to(Params::for_action(Self::ACTION.name())))
    }
}
