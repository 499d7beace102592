use jingku_library::{Config, WebhookSettings};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, Receiver, Service, wait_until};

const CALL: Action = Action::RetryCompShareImageWebhookDelivery;

#[tokio::test]
async fn an_event_is_sent_again() {
    let webhooks = WebhookSettings { private_addresses: true };
    let service = Service::with(Config { webhooks, ..Config::default() }).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let receiver = Receiver::start(&[]).await;
    let created = caller.ok(Action::CreateCompShareImageWebhook, &[("Url", &receiver.url)]).await;
    let workers = service.start_workers().await;
    let image = caller.create(INSTANCE, "first").await;
    wait_until("the event arrives", async || receiver.received().len() == 1).await;

    let webhook = ("WebhookId", created["WebhookId"].as_str().unwrap());
    let list = caller.ok(Action::DescribeCompShareImageWebhookDeliveries, &[webhook]).await;
    let delivery = list["Deliveries"][0]["DeliveryId"].to_string();
    let missing = format!("Resource not exist [{delivery}]");
    caller.assert_refused(CALL, &[], 210, "Missing params [DeliveryId]").await;
    caller.assert_refused(CALL, &[("DeliveryId", "0")], 230, "Params [DeliveryId] not available").await;
    stranger.assert_refused(CALL, &[("DeliveryId", &delivery)], 8039, &missing).await;
    caller.ok(CALL, &[("DeliveryId", &delivery)]).await;
    wait_until("it arrives again", async || receiver.received().len() == 2).await;
    let requests = receiver.received();
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[1].event()["subject"], *image);
    workers.stop().await;
}
