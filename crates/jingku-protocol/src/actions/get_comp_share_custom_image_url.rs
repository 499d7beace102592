use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// The longest life of a link, in seconds: a day.
pub const MAX_LINK_SECS: i64 = 86_400;
/// The life of a link that nobody asked otherwise for, in seconds: an hour.
pub const DEFAULT_LINK_SECS: i64 = 3_600;

/// Extension: asks for a link from which the disk of an image can be downloaded without a signature of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetCompShareCustomImageUrlRequest {
    /// The image, whose making must have ended well.
    pub image_id: String,
    /// How long the link is good for, in seconds, from 1 to [`MAX_LINK_SECS`]; [`DEFAULT_LINK_SECS`] when absent.
    pub expires_secs: Option<i64>,
}

/// The link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareCustomImageUrlResponse {
    /// For `GET` and `HEAD`, with or without `Range`. Whoever has it gets the bytes.
    pub url: String,
    /// When it ends, in Unix seconds.
    pub expire_time: i64,
    /// Size of the disk in bytes.
    pub size_bytes: i64,
}

impl Request for GetCompShareCustomImageUrlRequest {
    const ACTION: Action = Action::GetCompShareCustomImageUrl;
    type Response = GetCompShareCustomImageUrlResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        let expires_secs = tree.parsed("ExpiresIn")?;
        if expires_secs.is_some_and(|secs| !(1..=MAX_LINK_SECS).contains(&secs)) {
            return Err(ParamError::not_available("ExpiresIn"));
        }
        Ok(Self { image_id, expires_secs })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name())
            .text("CompShareImageId", Some(&self.image_id))
            .number("ExpiresIn", self.expires_secs)
    }
}
