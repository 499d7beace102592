//! Conversions between webhooks of the API and of the catalogue.

use jingku_catalog::{DeliveryState as RowState, ImageEvent};
use jingku_protocol::{DeliveryState, WebhookEvent};

pub(crate) fn event_of(event: WebhookEvent) -> ImageEvent {
    match event {
        WebhookEvent::Available => ImageEvent::Available,
        WebhookEvent::Failed => ImageEvent::Failed,
        WebhookEvent::Deleted => ImageEvent::Deleted,
        WebhookEvent::Restored => ImageEvent::Restored,
        WebhookEvent::Published => ImageEvent::Published,
        WebhookEvent::Shared => ImageEvent::Shared,
    }
}

pub(crate) fn shown_event(event: ImageEvent) -> WebhookEvent {
    match event {
        ImageEvent::Available => WebhookEvent::Available,
        ImageEvent::Failed => WebhookEvent::Failed,
        ImageEvent::Deleted => WebhookEvent::Deleted,
        ImageEvent::Restored => WebhookEvent::Restored,
        ImageEvent::Published => WebhookEvent::Published,
        ImageEvent::Shared => WebhookEvent::Shared,
    }
}

pub(crate) fn state_of(state: DeliveryState) -> RowState {
    match state {
        DeliveryState::Waiting => RowState::Waiting,
        DeliveryState::Delivered => RowState::Delivered,
        DeliveryState::Dead => RowState::Dead,
    }
}

pub(crate) fn shown_state(state: RowState) -> DeliveryState {
    match state {
        RowState::Waiting => DeliveryState::Waiting,
        RowState::Delivered => DeliveryState::Delivered,
        RowState::Dead => DeliveryState::Dead,
    }
}
