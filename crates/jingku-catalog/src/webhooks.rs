//! Webhooks: URLs that get a request for each change of an image.
//!
//! The change of an image queues the deliveries of its event in the same transaction. A server claims a webhook for one
//! delivery at a time, so a slow receiver delays only its own.

pub(crate) mod announce;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod webhook;
