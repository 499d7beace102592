use serde::{Deserialize, Serialize};

use crate::bounded::{ImageId, Integer};

/// The longest lifetime of a link, in seconds: a day.
pub const MAX_LINK_SECS: i64 = 86_400;
/// The default lifetime of a link, in seconds: an hour.
pub const DEFAULT_LINK_SECS: i64 = 3_600;

/// Extension: answers a link to download the disk of an image without a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareCustomImageUrlRequest {
    /// The image, which must have been made successfully.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// How long the link is valid, in seconds, from 1 to [`MAX_LINK_SECS`]; [`DEFAULT_LINK_SECS`] when absent.
    #[serde(rename = "ExpiresIn")]
    pub expires_secs: Option<Integer<1, MAX_LINK_SECS>>,
}

/// The link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareCustomImageUrlResponse {
    /// For `GET` and `HEAD`, with or without `Range`. It needs no signature: keep it secret.
    pub url: String,
    /// When it expires, in Unix seconds.
    pub expire_time: i64,
    /// Size of the disk in bytes.
    pub size_bytes: i64,
}
