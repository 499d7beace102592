use serde::{Deserialize, Serialize};

use crate::bounded::{ImageId, Integer};

/// The longest life of a link, in seconds: a day.
pub const MAX_LINK_SECS: i64 = 86_400;
/// The life of a link that nobody asked otherwise for, in seconds: an hour.
pub const DEFAULT_LINK_SECS: i64 = 3_600;

/// Extension: asks for a link from which the disk of an image can be downloaded without a signature of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareCustomImageUrlRequest {
    /// The image, whose making must have ended well.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// How long the link is good for, in seconds, from 1 to [`MAX_LINK_SECS`]; [`DEFAULT_LINK_SECS`] when absent.
    #[serde(rename = "ExpiresIn")]
    pub expires_secs: Option<Integer<1, MAX_LINK_SECS>>,
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
