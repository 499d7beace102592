use serde::{Deserialize, Serialize};

use crate::webhook::WebhookEvent;

/// Extension: lists the webhooks of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeCompShareImageWebhooksRequest;

/// All of them, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageWebhooksResponse {
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
}

/// A URL that gets events of images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Webhook {
    /// Its id.
    pub webhook_id: String,
    /// Where events are sent.
    pub url: String,
    /// The events that are sent to it.
    pub events: Vec<WebhookEvent>,
    /// When it was created, in Unix seconds.
    pub create_time: i64,
    /// Events that were dropped because too many waited.
    pub dropped_events: i64,
}
