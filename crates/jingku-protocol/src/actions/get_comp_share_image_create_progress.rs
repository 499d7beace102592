use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::lenient;
use crate::place::Place;

/// Asks how far the making of an image has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareImageCreateProgressRequest {
    /// Where the image is.
    #[serde(rename = "+place")]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareImageCreateProgressResponse {
    /// Percent, 0 to 100.
    pub process: f64,
    /// Seconds, whole making: those that have passed and those left. Decimal text: the Go SDK refuses a number.
    #[serde(deserialize_with = "lenient::text")]
    pub total_duration: String,
    /// Seconds left, estimated, likewise; `"0"` only when the making has ended.
    #[serde(deserialize_with = "lenient::text")]
    pub remaining_duration: String,
    /// Extension that the official CLI waits for: `Making`, `Available` or `Failed`.
    pub status: String,
    /// Extension, same as `Process`, under the name the official CLI reads.
    pub progress: f64,
    /// Extension: why it failed; empty otherwise.
    pub failed_reason: String,
    /// Extension: bytes of the disk looked at so far, holes included.
    pub processed_bytes: u64,
    /// Extension: size of the disk in bytes.
    pub total_bytes: u64,
    /// Extension: of the bytes passed, those that images of the account have already; 0 when the image is not being made
    /// right now.
    pub present_bytes: u64,
    /// Extension: what is to be said about the disk although it was accepted.
    pub warnings: Vec<String>,
}
