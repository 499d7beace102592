use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::lenient;
use crate::place::Place;

/// Reports the progress of making an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareImageCreateProgressRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// The progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareImageCreateProgressResponse {
    /// Percent, 0 to 100.
    pub process: f64,
    /// Seconds in total, elapsed and remaining. Decimal text: the Go SDK refuses a number.
    #[serde(deserialize_with = "lenient::text")]
    pub total_duration: String,
    /// Estimated remaining seconds, as decimal text; `"0"` only at the end.
    #[serde(deserialize_with = "lenient::text")]
    pub remaining_duration: String,
    /// Extension that the official CLI waits for: `Making`, `Available` or `Failed`.
    pub status: String,
    /// Extension, same as `Process`, under the name the official CLI reads.
    pub progress: f64,
    /// Extension: why it failed; empty otherwise.
    pub failed_reason: String,
    /// Extension: bytes of the disk processed so far, holes included.
    pub processed_bytes: u64,
    /// Extension: size of the disk in bytes.
    pub total_bytes: u64,
    /// Extension: processed bytes that other images of the account already store; 0 unless the image is being made.
    pub present_bytes: u64,
    /// Extension: warnings about the disk, which was accepted.
    pub warnings: Vec<String>,
}
