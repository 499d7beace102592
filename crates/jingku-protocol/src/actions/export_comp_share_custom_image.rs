use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;

/// Extension: gives back the bits of an image of the caller's own account.
///
/// On success the reply is no JSON but the disk itself, holes as zeros: `application/octet-stream` with its
/// `Content-Length`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExportCompShareCustomImageRequest {
    /// The image, which must be `Available`.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// Never sent: success is the disk itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCompShareCustomImageResponse {}
