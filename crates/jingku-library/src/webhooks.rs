//! Sends events of images to the webhooks of their accounts: signed requests, retried with growing pauses, at least once.
//!
//! The catalogue queues the events; `jobs/webhooks.rs` sends them.

mod address;
mod client;
mod create;
mod event;
mod sender;
mod signature;
mod url;

pub(crate) use client::{WEBHOOK_ANSWER_TIMEOUT, WebhookClient};
pub use create::{CreateWebhook, CreatedWebhook};
