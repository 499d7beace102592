use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::RetryCompShareImageWebhookDeliveryRequest,
) -> Result<api::RetryCompShareImageWebhookDeliveryResponse, Error> {
    let (account, id, now) = (call.account().id, request.delivery_id.0, call.library.clock.now());
    if call.library.catalog.retry_delivery(account, id, now).await? {
        Ok(api::RetryCompShareImageWebhookDeliveryResponse {})
    } else {
        Err(Error::ResourceNotFound(id.to_string()))
    }
}
