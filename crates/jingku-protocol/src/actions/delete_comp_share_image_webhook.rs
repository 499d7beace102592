use serde::{Deserialize, Serialize};

use crate::bounded::WebhookId;

pub use crate::done::Done as DeleteCompShareImageWebhookResponse;

/// Extension: deletes a webhook of the caller, with what is still to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCompShareImageWebhookRequest {
    /// The webhook.
    pub webhook_id: WebhookId,
}
