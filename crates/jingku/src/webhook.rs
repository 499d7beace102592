//! `jingku webhook`: URLs that get events of the images of the account, through the API.

use compshare::actions::{
    CreateCompShareImageWebhookRequest, DeleteCompShareImageWebhookRequest,
    DescribeCompShareImageWebhookDeliveriesRequest, DescribeCompShareImageWebhooksRequest,
    RetryCompShareImageWebhookDeliveryRequest, Webhook, WebhookDelivery,
};
use compshare::{Client, DeliveryState, WebhookEvent};
use serde_json::json;

use crate::args::{Global, WebhookCommand};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{Listing, done, note, print_json, time};

/// Deliveries that are shown by default.
const SHOWN: u32 = 20;

pub(crate) async fn run(global: &Global, command: WebhookCommand) -> Result<(), Failure> {
    let connection = Connection::open(global, command.connection())?;
    let client = &connection.client;
    let outcome = match command {
        WebhookCommand::Create { url, events, .. } => create(global, client, &url, events).await,
        WebhookCommand::List { .. } => list(global, client).await,
        WebhookCommand::Delete { webhook_id, .. } => delete(global, client, &webhook_id).await,
        WebhookCommand::Deliveries { webhook_id, state, limit, .. } => {
            deliveries(global, client, &webhook_id, state, limit.unwrap_or(SHOWN)).await
        }
        WebhookCommand::Retry { delivery_id, .. } => retry(global, client, delivery_id).await,
    };
    outcome.map_err(|failure| connection.explain(failure))
}

async fn create(
    global: &Global,
    client: &Client,
    url: &str,
    events: Vec<WebhookEvent>,
) -> Result<(), Failure> {
    let request = CreateCompShareImageWebhookRequest { url: url.into(), events: events.into() };
    let created = client.create_comp_share_image_webhook(&request).await?;
    let (id, secret) = (&created.webhook_id, &created.secret);
    done(global, &created, &tr!("webhook-created", id = id.as_str(), secret = secret.as_str()))?;
    if !global.json {
        note(&tr!("webhook-secret-once"));
    }
    Ok(())
}

async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let webhooks =
        client.describe_comp_share_image_webhooks(&DescribeCompShareImageWebhooksRequest).await?.webhooks;
    if global.json {
        return print_json(&webhooks);
    }
    Listing::of(&webhooks)
        .column(tr!("table-webhook"), |webhook: &Webhook| webhook.webhook_id.clone())
        .column(tr!("table-url"), |webhook| webhook.url.clone())
        .column(tr!("table-events"), |webhook| {
            webhook.events.iter().map(|event| event.name()).collect::<Vec<_>>().join(" ")
        })
        .column(tr!("table-created"), |webhook| time(webhook.create_time))
        .column(tr!("table-dropped"), |webhook| webhook.dropped_events.to_string())
        .print(1, &tr!("webhook-none"))
}

async fn delete(global: &Global, client: &Client, webhook_id: &str) -> Result<(), Failure> {
    let request = DeleteCompShareImageWebhookRequest { webhook_id: webhook_id.into() };
    client.delete_comp_share_image_webhook(&request).await?;
    done(global, &json!({ "WebhookId": webhook_id }), &tr!("webhook-deleted"))
}

async fn deliveries(
    global: &Global,
    client: &Client,
    webhook_id: &str,
    state: Option<DeliveryState>,
    limit: u32,
) -> Result<(), Failure> {
    let request = DescribeCompShareImageWebhookDeliveriesRequest {
        webhook_id: webhook_id.into(),
        state,
        limit: Some(limit.into()),
        next_token: None,
    };
    let found = client.describe_comp_share_image_webhook_deliveries(&request).await?.deliveries;
    if global.json {
        return print_json(&found);
    }
    Listing::of(&found)
        .column(tr!("table-id"), |delivery: &WebhookDelivery| delivery.delivery_id.to_string())
        .column(tr!("table-event"), |delivery| delivery.event.name().to_owned())
        .column(tr!("table-image"), |delivery| delivery.comp_share_image_id.clone())
        .column(tr!("table-happened"), |delivery| time(delivery.event_time))
        .column(tr!("table-state"), |delivery| delivery.state.name().to_owned())
        .column(tr!("table-attempts"), |delivery| delivery.attempts.to_string())
        .column(tr!("table-due-or-ended"), |delivery| time(delivery.time))
        .column(tr!("table-answer"), |delivery| delivery.answer.clone())
        .print(7, &tr!("webhook-no-deliveries"))
}

async fn retry(global: &Global, client: &Client, delivery_id: i64) -> Result<(), Failure> {
    let request = RetryCompShareImageWebhookDeliveryRequest { delivery_id: delivery_id.into() };
    client.retry_comp_share_image_webhook_delivery(&request).await?;
    done(global, &json!({ "DeliveryId": delivery_id }), &tr!("webhook-retried"))
}
