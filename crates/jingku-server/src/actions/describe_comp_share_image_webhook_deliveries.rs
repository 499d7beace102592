use jingku_catalog::Delivery;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::webhook::{shown_event, shown_state, state_of};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImageWebhookDeliveriesRequest,
) -> Result<api::DescribeCompShareImageWebhookDeliveriesResponse, Error> {
    let before = request.next_token.as_deref().filter(|token| !token.is_empty()).map(str::parse).transpose();
    let before = before.map_err(|_| Error::not_available("NextToken"))?;
    let (account, limit, state) = (call.account().id, request.limit(), request.state.map(state_of));
    // One more tells whether there is another page.
    let found =
        call.library.catalog.deliveries(account, &request.webhook_id, state, before, limit + 1).await?;
    let mut found = found.ok_or_else(|| Error::ResourceNotFound(request.webhook_id.to_string()))?;
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| has_more);
    Ok(api::DescribeCompShareImageWebhookDeliveriesResponse {
        next_token: last.map(|delivery| delivery.id.to_string()).unwrap_or_default(),
        deliveries: found.into_iter().map(delivery).collect(),
    })
}

fn delivery(delivery: Delivery) -> api::WebhookDelivery {
    api::WebhookDelivery {
        delivery_id: delivery.id,
        event: shown_event(delivery.event),
        event_time: delivery.occurred_at,
        comp_share_image_id: delivery.image_id,
        name: delivery.image_name,
        state: shown_state(delivery.state),
        attempts: delivery.attempts,
        time: delivery.time,
        answer: delivery.answer,
    }
}
