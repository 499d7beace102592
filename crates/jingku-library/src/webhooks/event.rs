//! The body of a request to a webhook.

use jiff::Timestamp;
use jingku_catalog::{Delivery, Webhook};
use jingku_protocol::{ImageCloudEvent, ImageEventData};

/// Bytes in a megabyte, as the API counts sizes.
const MB: i64 = 1 << 20;

/// The id of an event, equal in all its attempts.
pub(super) fn event_id(delivery: &Delivery) -> String {
    format!("event-{}", delivery.id)
}

/// Describes an event. `base_url` is the base URL of the server.
pub(super) fn cloud_event(webhook: &Webhook, delivery: &Delivery, base_url: &str) -> ImageCloudEvent {
    ImageCloudEvent {
        specversion: "1.0".to_owned(),
        id: event_id(delivery),
        source: format!("{base_url}/accounts/{}", webhook.account.0),
        r#type: format!("jingku.image.{}", delivery.event.name()),
        subject: delivery.image_id.clone(),
        time: Timestamp::from_second(delivery.occurred_at).unwrap_or_default().to_string(),
        datacontenttype: "application/json".to_owned(),
        data: ImageEventData {
            account_id: webhook.account.0,
            comp_share_image_id: delivery.image_id.clone(),
            name: delivery.image_name.clone(),
            status: delivery.image_status.clone(),
            failed_reason: delivery.failed_reason.clone(),
            size: delivery.size_bytes.saturating_add(MB - 1) / MB,
            added_accounts: delivery.accounts.clone(),
        },
    }
}
