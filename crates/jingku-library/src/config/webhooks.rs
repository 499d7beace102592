//! Settings of webhooks.

use serde::{Deserialize, Serialize};

/// Where webhooks may lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSettings {
    /// Allows URLs of private networks and of this machine: their owners can then reach services there.
    pub private_addresses: bool,
}
