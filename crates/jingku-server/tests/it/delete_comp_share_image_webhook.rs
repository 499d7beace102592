use jingku_protocol::actions::Action;

use crate::support::Service;

const CALL: Action = Action::DeleteCompShareImageWebhook;

#[tokio::test]
async fn only_its_account_deletes_a_webhook() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let url = [("Url", "https://ci.example.com/hook")];
    let created = caller.ok(Action::CreateCompShareImageWebhook, &url).await;
    let id = created["WebhookId"].as_str().unwrap();
    let missing = format!("Resource not exist [{id}]");
    caller.assert_refused(CALL, &[], 210, "Missing params [WebhookId]").await;
    stranger.assert_refused(CALL, &[("WebhookId", id)], 8039, &missing).await;
    caller.ok(CALL, &[("WebhookId", id)]).await;
    caller.assert_refused(CALL, &[("WebhookId", id)], 8039, &missing).await;
}
