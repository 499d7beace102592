use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DeleteCompShareImageWebhookRequest,
) -> Result<api::DeleteCompShareImageWebhookResponse, Error> {
    let deleted = call.library.catalog.delete_webhook(call.account().id, &request.webhook_id).await?;
    if deleted {
        Ok(api::DeleteCompShareImageWebhookResponse {})
    } else {
        Err(Error::ResourceNotFound(request.webhook_id.into()))
    }
}
