use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::webhook::shown_event;

pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::DescribeCompShareImageWebhooksRequest,
) -> Result<api::DescribeCompShareImageWebhooksResponse, Error> {
    let webhooks = call.library.catalog.webhooks(call.account().id).await?;
    let webhook = |webhook: jingku_catalog::Webhook| api::Webhook {
        webhook_id: webhook.id,
        url: webhook.url,
        events: webhook.events.into_iter().map(shown_event).collect(),
        create_time: webhook.created_at,
        dropped_events: webhook.dropped,
    };
    Ok(api::DescribeCompShareImageWebhooksResponse { webhooks: webhooks.into_iter().map(webhook).collect() })
}
