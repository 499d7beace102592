//! What was deleted goes for good when its time is over.

use std::time::Duration;

use jingku_protocol::actions::Action;
use jingku_service::{Config, OperatorError, Trash};

use crate::support::{INSTANCE, Service};

const TERMINATE: Action = Action::TerminateCompShareCustomImage;
const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn what_was_deleted_is_kept_for_days() {
    let config = Config { trash: Trash { keep_days: 2 }, ..Config::default() };
    let service = Service::with(config).await;
    let caller = service.caller();
    let mut made = Vec::new();
    for (name, days) in [("a", 0), ("b", 1), ("c", 2)] {
        let id = service.make(INSTANCE, name).await;
        service.clock.set(crate::support::NOW + days * DAY);
        caller.ok(TERMINATE, &[("CompShareImageId", &id)]).await;
        made.push(id);
    }
    // Just now the first one's time is over, and no other's.
    let workers = service.start_workers().await;
    let left = async || {
        let trash = service.context.trash().await.unwrap();
        trash.into_iter().map(|image| image.name).collect::<String>()
    };
    let emptied = async {
        while left().await != "cb" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), emptied).await.expect("it goes");
    workers.stop().await;
    service.start_workers().await.stop().await;
    assert_eq!(left().await, "cb");
    service.context.restore_image(&made[1], None).await.unwrap();
    assert_eq!(caller.images(&[]).await.len(), 1);
}

#[tokio::test]
async fn what_was_being_made_cannot_come_back() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    caller.ok(TERMINATE, &[("CompShareImageId", &id)]).await;
    let refused = service.context.restore_image(&id, None).await.unwrap_err();
    assert!(matches!(&refused, OperatorError::NeverMade(image) if *image == id), "{refused}");
    assert!(refused.to_string().contains("was being made when it was deleted"), "{refused}");
}
