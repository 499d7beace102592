use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const CALL: Action = Action::DescribeCompShareImageWebhooks;

#[tokio::test]
async fn an_account_sees_its_own() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let url = ("Url", "https://ci.example.com/hook");
    let create = Action::CreateCompShareImageWebhook;
    let all = caller.ok(create, &[url]).await;
    service.clock.pass(1);
    let some = caller.ok(create, &[url, ("Events.0", "failed"), ("Events.1", "shared")]).await;
    let list = caller.ok(CALL, &[]).await;
    let events = ["available", "failed", "deleted", "restored", "published", "shared"];
    let expected = json!([
        {
            "WebhookId": all["WebhookId"], "Url": url.1, "Events": events, "CreateTime": NOW, "DroppedEvents": 0,
        },
        {
            "WebhookId": some["WebhookId"], "Url": url.1, "Events": ["failed", "shared"], "CreateTime": NOW + 1,
            "DroppedEvents": 0,
        },
    ]);
    assert_eq!(list["Webhooks"], expected);
    assert_eq!(stranger.ok(CALL, &[]).await["Webhooks"], json!([]));
}
