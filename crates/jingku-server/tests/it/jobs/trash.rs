//! What was deleted goes for good when its time is over.

use std::time::Duration;

use jingku_library::{Clock, Config, EmptyTrash, OperatorError, TrashSettings};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, Service};

const TERMINATE: Action = Action::TerminateCompShareCustomImage;
const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

impl Service {
    /// Lets a server run for so long, which reads its clock now and then.
    fn run_for(&self, secs: u32) {
        self.context.trusted_now();
        for _ in 0..secs / HOUR {
            self.clock.pass(HOUR);
            self.context.trusted_now();
        }
        self.clock.pass(secs % HOUR);
        self.context.trusted_now();
    }

    /// Makes images of these names and deletes them.
    async fn delete(&self, names: &[&str]) -> Vec<String> {
        let mut deleted = Vec::new();
        for name in names {
            let id = self.make(INSTANCE, name).await;
            self.caller().ok(TERMINATE, &[("CompShareImageId", &id)]).await;
            deleted.push(id);
        }
        deleted
    }

    /// Names of what is in the trash, the last deleted first.
    async fn trashed(&self) -> String {
        self.context.trash().await.unwrap().into_iter().map(|image| image.name).collect()
    }

    /// Starts the workers, has them look at the trash, and stops them.
    async fn look_at_trash(&self) {
        // They look at the trash before they make the reserve of room anew.
        let reserve = self.folder.path().join("data/reserve");
        let _ = std::fs::remove_file(&reserve);
        let workers = self.start_workers().await;
        let looked = async {
            while !reserve.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), looked).await.expect("the trash is looked at");
        workers.stop().await;
    }
}

#[tokio::test]
async fn what_was_deleted_is_kept_for_days() {
    let config = Config { trash: TrashSettings { keep_days: 2 }, ..Config::default() };
    let service = Service::with(config).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        made.extend(service.delete(&[name]).await);
        if name != "c" {
            service.run_for(DAY);
        }
    }
    // Just now the first one's time is over, and no other's.
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "cb");
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "cb");
    service.context.restore_image(&made[1], None).await.unwrap();
    assert_eq!(service.caller().images(&[]).await.len(), 1);
}

/// A dead battery, a machine that wakes up, somebody at the clock: one reading deletes nothing, nor do many in a row.
#[tokio::test]
async fn a_clock_that_jumps_ahead_empties_nothing_until_it_has_run_for_a_day() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a", "b"]).await;
    let chunks = service.stored("chunks");
    let right = service.clock.now();
    service.clock.set(right + 400 * i64::from(DAY));
    for _ in 0..3 {
        service.look_at_trash().await;
        // Another process on the same folder, after a restart.
        let restarted = service.reopen().await;
        restarted.clock.set(right + 400 * i64::from(DAY));
        restarted.look_at_trash().await;
    }
    service.run_for(DAY - HOUR);
    service.look_at_trash().await;
    assert_eq!(service.trashed().await.len(), 2);
    assert!(service.context.held_back().is_some_and(|held| held.for_secs <= 2 * i64::from(HOUR)));
    service.context.sweep(false, |_, _| true).await.unwrap();
    assert_eq!(service.stored("chunks"), chunks);
    // The clock was right after all.
    service.run_for(3 * HOUR);
    assert_eq!(service.context.held_back(), None);
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "");
}

#[tokio::test]
async fn a_clock_that_is_set_right_again_has_emptied_nothing() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a"]).await;
    let right = service.clock.now();
    // Ahead for some hours, then right: the day begins anew, and the image has its days.
    service.clock.set(right + 30 * i64::from(DAY));
    service.run_for(5 * HOUR);
    service.clock.set(right + 5 * i64::from(HOUR));
    service.run_for(6 * DAY);
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "a");
    service.run_for(DAY);
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "");

    // Back in 1970, where something is deleted, and right again: what looks decades old is not.
    let right = service.clock.now();
    service.clock.set(1000);
    service.delete(&["b"]).await;
    service.run_for(HOUR);
    service.look_at_trash().await;
    service.clock.set(right + i64::from(HOUR));
    service.look_at_trash().await;
    service.run_for(DAY - 2 * HOUR);
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "b");
}

#[tokio::test]
async fn a_lost_record_of_the_clock_empties_nothing() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a"]).await;
    service.run_for(8 * DAY);
    std::fs::remove_file(service.folder.path().join("data/clock")).unwrap();
    let restarted = service.reopen().await;
    restarted.clock.set(service.clock.now());
    restarted.look_at_trash().await;
    assert_eq!(restarted.trashed().await, "a");
    restarted.run_for(DAY);
    restarted.look_at_trash().await;
    assert_eq!(restarted.trashed().await, "");
}

/// The operator's word counts at once, and so does his wish to keep nothing.
#[tokio::test]
async fn what_is_asked_for_asks_no_clock() {
    let service = Service::start().await;
    service.delete(&["a"]).await;
    service.context.empty_trash(EmptyTrash::default()).await.unwrap();
    assert_eq!(service.trashed().await, "");
    let config = Config { trash: TrashSettings { keep_days: 0 }, ..Config::default() };
    let service = Service::with(config).await;
    service.delete(&["a"]).await;
    service.look_at_trash().await;
    assert_eq!(service.trashed().await, "");
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
