use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;

/// Extension: downloads an image of the caller's own account.
///
/// On success the reply is the raw disk instead of JSON: `application/octet-stream` with a `Content-Length`, holes as
/// zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ExportCompShareCustomImageRequest {
    /// The image, which must be `Available`.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// Never sent: a successful reply is the raw disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExportCompShareCustomImageResponse {}
