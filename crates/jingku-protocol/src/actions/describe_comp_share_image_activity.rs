use serde::{Deserialize, Serialize};

use crate::bounded::{ImageId, Word};
use crate::paging::Paging;
use crate::place::Place;

/// Extension: lists the changes that the account made or was refused, and those that the operator made for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareImageActivityRequest {
    /// Checked, and otherwise without effect: the log is one.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Only changes of this image. The id of an instance works too.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// Only this action, such as `UpdateCompShareImage`.
    pub activity: Option<Word>,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of changes, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageActivityResponse {
    /// Changes that match, on all pages.
    pub total_count: i64,
    /// The changes of this page.
    pub activity_set: Vec<Activity>,
    /// Where the next page starts; empty on the last one.
    pub next_token: String,
}

/// A change, or a refused attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Activity {
    /// When it was requested.
    pub time: i64,
    /// The name of the action, or the words of the operator's command.
    pub activity: String,
    /// The id of the image or of what else was changed; empty if the call named none.
    pub resource_id: String,
    /// 0, or the code of the refusal.
    pub result: i64,
    /// `api`, `console`, `upload`, `command` (of the operator) or `server` (by age).
    pub channel: String,
    /// The public key that signed the call; empty without one.
    pub public_key: String,
    /// The address of the client; empty if there was none.
    pub address: String,
    /// The `request_uuid` of the call; empty if there was none.
    pub request_id: String,
}
