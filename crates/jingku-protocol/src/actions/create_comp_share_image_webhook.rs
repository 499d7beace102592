use serde::{Deserialize, Serialize};

use crate::bounded::WebhookUrl;
use crate::list::{List, without_repeats};
use crate::webhook::WebhookEvent;

/// Extension: creates a webhook, a URL that gets events of the caller's images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CreateCompShareImageWebhookRequest {
    /// Where events are sent.
    pub url: WebhookUrl,
    /// The events to send; absent for all.
    #[serde(default, deserialize_with = "without_repeats")]
    pub events: List<WebhookEvent, 6>,
}

/// The new webhook.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCompShareImageWebhookResponse {
    /// Its id.
    pub webhook_id: String,
    /// What signs its requests. It is not shown again.
    pub secret: String,
}

/// Without the secret.
impl std::fmt::Debug for CreateCompShareImageWebhookResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateCompShareImageWebhookResponse")
            .field("webhook_id", &self.webhook_id)
            .finish_non_exhaustive()
    }
}
