use jingku_protocol::actions::Action;

use crate::support::Service;

const CALL: Action = Action::CreateCompShareImageWebhook;
const BAD_URL: &str = "Params [Url] not available: a webhook has an http or https URL without a user, and no private \
     address unless the operator sets `private_addresses`";

#[tokio::test]
async fn a_webhook_has_a_secret_that_is_shown_once() {
    let service = Service::start().await;
    let caller = service.caller();
    let created = caller.ok(CALL, &[("Url", "https://ci.example.com/hook")]).await;
    assert!(created["Secret"].as_str().unwrap().starts_with("whsec_"), "{created}");
    let list = caller.ok(Action::DescribeCompShareImageWebhooks, &[]).await;
    assert_eq!(list["Webhooks"][0]["WebhookId"], created["WebhookId"]);
    assert!(!list.to_string().contains("whsec_"), "{list}");
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(CALL, &[], 210, "Missing params [Url]").await;
    let url = ("Url", "https://ci.example.com/hook");
    let unknown = "Params [Events] not available";
    caller.assert_refused(CALL, &[url, ("Events.0", "made")], 230, unknown).await;
    for private in
        ["http://127.0.0.1:9/", "http://169.254.169.254/latest/", "http://[::1]/", "ftp://example.com/"]
    {
        caller.assert_refused(CALL, &[("Url", private)], 230, BAD_URL).await;
    }
    for _ in 0..8 {
        caller.ok(CALL, &[url]).await;
    }
    let most = "The account has 8 webhooks, the most it can have; delete one";
    caller.assert_refused(CALL, &[url], 8095, most).await;
}
