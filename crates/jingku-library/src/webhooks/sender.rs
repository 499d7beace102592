//! Sends one request to a webhook.

use jingku_catalog::{AttemptEnd, CatalogError, Delivery, Webhook};
use jingku_protocol::CLOUD_EVENT_TYPE;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use secrecy::ExposeSecret;

use super::client::root_cause;
use super::event::{cloud_event, event_id};
use super::signature::sign;
use super::url;
use crate::library::Library;
use crate::sentence::clause;

/// The pauses after failed attempts, in seconds. After the last one fails too, the delivery is dead.
const PAUSES_SECS: [i64; 7] = [10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600];
/// Maximum length of the answer that is kept of an attempt, in characters.
const MAX_ANSWER_CHARS: usize = 200;

impl Library {
    /// Tries a claimed delivery once, and records the result.
    pub(crate) async fn send_delivery(
        &self,
        webhook: &Webhook,
        delivery: &Delivery,
    ) -> Result<(), CatalogError> {
        let answer = self.post(webhook, delivery).await;
        let now = self.clock.now();
        let (end, answer) = match answer {
            Ok(status) if status.is_success() => (AttemptEnd::Delivered, format!("HTTP {}", status.as_u16())),
            Ok(status) => (after_failure(delivery, now), format!("HTTP {}", status.as_u16())),
            Err(error) => (after_failure(delivery, now), error),
        };
        let answer: String = answer.chars().take(MAX_ANSWER_CHARS).collect();
        let (id, attempts) = (&webhook.id, delivery.attempts + 1);
        tracing::debug!(webhook = id, delivery = delivery.id, attempts, answer, ?end, "tried a webhook");
        self.catalog.end_attempt(delivery, end, &answer, now).await
    }

    async fn post(&self, webhook: &Webhook, delivery: &Delivery) -> Result<StatusCode, String> {
        let allows_private = self.config.webhooks.private_addresses;
        // The setting may have changed since the webhook was created.
        let url = url::parse(&webhook.url, allows_private).ok_or("The URL is not allowed")?;
        let secret =
            self.open_webhook_secret(&webhook.id, &webhook.secret).map_err(|error| clause(&error))?;
        let base_url = self.config.public_url.as_ref().map(ToString::to_string).unwrap_or_default();
        let body = serde_json::to_string(&cloud_event(webhook, delivery, &base_url))
            .map_err(|error| clause(&error))?;
        let (id, timestamp) = (event_id(delivery), self.clock.now());
        let signature = sign(secret.expose_secret(), &id, timestamp, &body).ok_or("The secret is damaged")?;
        let request = self
            .webhooks
            .get(allows_private)?
            .post(url)
            .header(CONTENT_TYPE, CLOUD_EVENT_TYPE)
            .header(USER_AGENT, concat!("Jingku/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        // What follows the status is not read.
        request.send().await.map(|response| response.status()).map_err(|error| root_cause(&error))
    }
}

/// What follows a failed attempt.
fn after_failure(delivery: &Delivery, now: i64) -> AttemptEnd {
    let failed = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
    PAUSES_SECS.get(failed).map_or(AttemptEnd::Dead, |pause| AttemptEnd::Retry(now + pause))
}
