//! Usage counters: instances started from an image, and for how many hours.

use serde_json::json;

use crate::support::{NOW, Service, wait_until};

const HOUR: i64 = 3600;

#[tokio::test]
async fn usage_hours_are_counted_periodically_and_on_removal() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let counters = async || {
        // From the list, whose cached pages must be invalidated.
        let image = caller.images(&[]).await.remove(0);
        (image["CreatedCount"].clone(), image["ImageUseTime"].clone())
    };
    assert_eq!(counters().await, (json!(0), json!(0)));
    service.start_from(1, "uhost-1", "image-1").await;
    service.start_from(1, "uhost-2", "image-1").await;
    assert_eq!(counters().await, (json!(2), json!(0)));

    service.clock.set(NOW + 3 * HOUR + HOUR / 2);
    let workers = service.start_workers().await;
    wait_until("the hours are counted", async || counters().await.1 == 6).await;
    workers.stop().await;
    service.clock.set(NOW + 5 * HOUR);
    service.context.library.remove_instance("uhost-1").await.unwrap();
    assert_eq!(counters().await, (json!(2), json!(8)));
    // A restarted server continues the count.
    service.start_workers().await.stop().await;
    let reopened = service.reopen().await;
    reopened.clock.set(NOW + 6 * HOUR);
    let workers = reopened.start_workers().await;
    wait_until("the hours are counted", async || counters().await.1 == 11).await;
    workers.stop().await;
}
