//! What a webhook receives: a `CloudEvent` of version 1.0, as JSON.

use serde::{Deserialize, Serialize};

/// The media type of the body of a request to a webhook.
pub const CLOUD_EVENT_TYPE: &str = "application/cloudevents+json";

/// The body of a request to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub struct ImageCloudEvent {
    /// The version of the format, `1.0`.
    pub specversion: String,
    /// The id of the event. Repeated attempts have the same one.
    pub id: String,
    /// The account of the image, such as `https://images.example.com/accounts/1`.
    pub source: String,
    /// What happened, such as `jingku.image.available`.
    pub r#type: String,
    /// The id of the image.
    pub subject: String,
    /// When it happened, as RFC 3339.
    pub time: String,
    /// The media type of `data`, `application/json`.
    pub datacontenttype: String,
    /// The image as it was at the event.
    pub data: ImageEventData,
}

/// The image of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageEventData {
    /// Its account.
    pub account_id: i64,
    /// Its id.
    pub comp_share_image_id: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// Why it is `UnAvailable`; else empty.
    pub failed_reason: String,
    /// Its unpacked size in MB, rounded up; 0 if it is unknown.
    pub size: i64,
    /// The accounts that the image was shared with by this event.
    pub added_accounts: Vec<i64>,
}

/// What happened to an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WebhookEvent {
    /// It was made, imported or copied.
    #[default]
    Available,
    /// It could not be made.
    Failed,
    /// It was deleted, and is in the trash.
    Deleted,
    /// It was restored from the trash.
    Restored,
    /// It is public.
    Published,
    /// It was shared with other accounts.
    Shared,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [Self; 6] =
        [Self::Available, Self::Failed, Self::Deleted, Self::Restored, Self::Published, Self::Shared];

    /// The spelling on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Published => "published",
            Self::Shared => "shared",
        }
    }
}

/// What became of an event for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum DeliveryState {
    /// It is to be sent.
    Waiting,
    /// The receiver has accepted it.
    Delivered,
    /// It was tried too often.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// The spelling on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Delivered => "Delivered",
            Self::Dead => "Dead",
        }
    }
}
