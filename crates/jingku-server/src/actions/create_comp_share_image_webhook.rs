use jingku_library::CreateWebhook;
use jingku_protocol::WebhookEvent;
use jingku_protocol::actions as api;
use secrecy::ExposeSecret;

use crate::call::Call;
use crate::error::Error;
use crate::webhook::event_of;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CreateCompShareImageWebhookRequest,
) -> Result<api::CreateCompShareImageWebhookResponse, Error> {
    let events = if request.events.is_empty() { &WebhookEvent::ALL[..] } else { &request.events };
    let events: Vec<_> = events.iter().copied().map(event_of).collect();
    match call.library.create_webhook(call.account().id, &request.url, &events).await? {
        CreateWebhook::Created(webhook) => Ok(api::CreateCompShareImageWebhookResponse {
            webhook_id: webhook.id,
            secret: webhook.secret.expose_secret().to_owned(),
        }),
        CreateWebhook::BadUrl => Err(Error::BadWebhookUrl),
        CreateWebhook::TooMany => Err(Error::TooManyWebhooks),
    }
}
