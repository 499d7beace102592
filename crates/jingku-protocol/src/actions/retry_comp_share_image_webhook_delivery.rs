use serde::{Deserialize, Serialize};

use crate::bounded::Integer;

pub use crate::done::Done as RetryCompShareImageWebhookDeliveryResponse;

/// Extension: sends an event to a webhook of the caller again, whatever became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct RetryCompShareImageWebhookDeliveryRequest {
    /// The delivery.
    pub delivery_id: Integer<1, { i64::MAX }>,
}
