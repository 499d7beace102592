use serde::{Deserialize, Serialize};

use crate::bounded::{Integer, PageToken, WebhookId};
use crate::paging::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::webhook::{DeliveryState, WebhookEvent};

/// Extension: lists what was sent to a webhook of the caller, and what is to be sent, the newest event first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareImageWebhookDeliveriesRequest {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Rows wanted; absent or 0 is [`DEFAULT_LIMIT`].
    pub limit: Option<Integer<0, { MAX_LIMIT as i64 }>>,
    /// The `NextToken` of the page before.
    pub next_token: Option<PageToken>,
}

impl DescribeCompShareImageWebhookDeliveriesRequest {
    /// Rows wanted, never 0.
    pub fn limit(&self) -> u32 {
        let limit = self.limit.and_then(|limit| u32::try_from(limit.0).ok());
        limit.filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT)
    }
}

/// A page of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageWebhookDeliveriesResponse {
    /// The deliveries of this page.
    pub deliveries: Vec<WebhookDelivery>,
    /// Where the next page starts; empty on the last one.
    pub next_token: String,
}

/// An event for a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct WebhookDelivery {
    /// Its number.
    pub delivery_id: i64,
    /// What happened.
    pub event: WebhookEvent,
    /// When it happened, in Unix seconds.
    pub event_time: i64,
    /// The image.
    pub comp_share_image_id: String,
    /// The name of the image then.
    pub name: String,
    /// What became of the delivery.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is due, if it waits, otherwise when it ended, in Unix seconds.
    pub time: i64,
    /// What the last attempt led to: `HTTP` and a status, or an error; empty before the first.
    pub answer: String,
}
