use jingku_library::{Config, WebhookSettings, Workers};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Receiver, Service, wait_until};

const CALL: Action = Action::DescribeCompShareImageWebhookDeliveries;

/// A server whose webhooks may lead to this machine, with workers and a webhook.
async fn start(receiver: &Receiver) -> (Service, Workers, String) {
    let webhooks = WebhookSettings { private_addresses: true };
    let service = Service::with(Config { webhooks, ..Config::default() }).await;
    let create = Action::CreateCompShareImageWebhook;
    let created = service.caller().ok(create, &[("Url", &receiver.url)]).await;
    let workers = service.start_workers().await;
    (service, workers, created["WebhookId"].as_str().unwrap().to_owned())
}

async fn deliveries(caller: &Caller, webhook: &str, params: &[(&str, &str)]) -> Vec<Value> {
    let list = caller.ok(CALL, &[&[("WebhookId", webhook)], params].concat()).await;
    list["Deliveries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_event_arrives_once_as_a_signed_cloud_event() {
    let receiver = Receiver::start(&[]).await;
    let (service, workers, webhook) = start(&receiver).await;
    let caller = service.caller();
    let image = caller.create(INSTANCE, "first").await;
    wait_until("the event arrives", async || !receiver.received().is_empty()).await;
    let request = &receiver.received()[0];
    let delivery = deliveries(&caller, &webhook, &[]).await.remove(0);
    let id = format!("event-{}", delivery["DeliveryId"]);
    let expected = json!({
        "specversion": "1.0", "id": id, "source": "/accounts/1", "type": "jingku.image.available", "subject": image,
        "time": "2024-04-08T08:00:00Z", "datacontenttype": "application/json",
        "data": {
            "AccountId": 1, "CompShareImageId": image, "Name": "first", "Status": "Available", "FailedReason": "",
            "Size": caller.image(&image).await["Size"], "AddedAccounts": [],
        },
    });
    assert_eq!(request.event(), expected);
    assert_eq!(request.header("content-type"), "application/cloudevents+json");
    assert_eq!(request.header("webhook-id"), id);
    assert_eq!(request.header("webhook-timestamp"), NOW.to_string());
    assert!(request.header("webhook-signature").starts_with("v1,"), "{request:?}");

    wait_until("it is noted", async || {
        deliveries(&caller, &webhook, &[("State", "Delivered")]).await.len() == 1
    })
    .await;
    let delivered = json!([{
        "DeliveryId": delivery["DeliveryId"], "Event": "available", "EventTime": NOW, "CompShareImageId": image,
        "Name": "first", "State": "Delivered", "Attempts": 1, "Time": NOW, "Answer": "HTTP 204",
    }]);
    assert_eq!(json!(deliveries(&caller, &webhook, &[]).await), delivered);
    workers.stop().await;
    assert_eq!(receiver.received().len(), 1);
}

/// Ten seconds, one minute, five, half an hour, two hours, six, twelve.
const PAUSES: [u32; 7] = [10, 60, 300, 1800, 7200, 21_600, 43_200];

#[tokio::test]
async fn an_event_is_tried_with_growing_pauses_until_it_is_dead() {
    // A redirect is not followed.
    let receiver = Receiver::start(&[500, 302, 404, 429, 503, 400, 301, 502]).await;
    let (service, workers, webhook) = start(&receiver).await;
    let caller = service.caller();
    caller.create(INSTANCE, "first").await;
    for (tried, pause) in PAUSES.into_iter().enumerate() {
        let attempts = tried + 1;
        let waits = async || {
            let rows = deliveries(&caller, &webhook, &[("State", "Waiting")]).await;
            rows.first().is_some_and(|row| row["Attempts"] == attempts)
        };
        wait_until("the attempt fails", waits).await;
        assert_eq!(receiver.received().len(), attempts);
        service.clock.pass(pause);
    }
    wait_until("it is dead", async || deliveries(&caller, &webhook, &[("State", "Dead")]).await.len() == 1)
        .await;
    let dead = &deliveries(&caller, &webhook, &[]).await[0];
    assert_eq!((&dead["Attempts"], &dead["Answer"]), (&json!(8), &json!("HTTP 502")));
    let ids: Vec<_> = receiver.received().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 8 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    workers.stop().await;
}

#[tokio::test]
async fn a_private_address_is_never_called() {
    let receiver = Receiver::start(&[]).await;
    let service = Service::start().await;
    let caller = service.caller();
    // It resolves to the address of the receiver.
    let url = receiver.url.replace("127.0.0.1", "localhost");
    let created = caller.ok(Action::CreateCompShareImageWebhook, &[("Url", &url)]).await;
    let webhook = created["WebhookId"].as_str().unwrap();
    let workers = service.start_workers().await;
    caller.create(INSTANCE, "first").await;
    let tried = async || {
        let rows = deliveries(&caller, webhook, &[]).await;
        rows.first().is_some_and(|row| row["Attempts"] == 1)
    };
    wait_until("the attempt fails", tried).await;
    let answer = &deliveries(&caller, webhook, &[]).await[0]["Answer"];
    assert_eq!(answer, "The host has a private address, which the operator does not allow for webhooks");
    workers.stop().await;
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn pages_lead_to_the_first_event() {
    let service = Service::start().await;
    let (caller, (other, stranger)) = (service.caller(), service.stranger().await);
    let url = [("Url", "https://ci.example.com/hook"), ("Events.0", "shared")];
    let created = caller.ok(Action::CreateCompShareImageWebhook, &url).await;
    let webhook = ("WebhookId", created["WebhookId"].as_str().unwrap());
    service.add_images(&[("image-1", NOW)]).await;
    for _ in 0..5 {
        caller.share("image-1", &[other]).await;
        caller.unshare("image-1", &[other]).await;
    }
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let page = caller.ok(CALL, &[webhook, ("Limit", "2"), ("NextToken", &token)]).await;
        seen.extend(
            page["Deliveries"].as_array().unwrap().iter().map(|row| row["DeliveryId"].as_i64().unwrap()),
        );
        token = page["NextToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert!(seen.len() == 5 && seen.is_sorted_by(|one, next| one > next), "{seen:?}");

    caller.assert_refused(CALL, &[], 210, "Missing params [WebhookId]").await;
    let bad = "Params [NextToken] not available";
    caller.assert_refused(CALL, &[webhook, ("NextToken", "x")], 230, bad).await;
    caller.assert_refused(CALL, &[webhook, ("State", "Lost")], 230, "Params [State] not available").await;
    let missing = format!("Resource not exist [{}]", webhook.1);
    stranger.assert_refused(CALL, &[webhook], 8039, &missing).await;
}
