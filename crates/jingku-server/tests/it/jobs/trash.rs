//! Expiry of the trash.

use jingku_library::{Clock, Config, EmptyTrash, LibraryError, TrashSettings};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, Service, wait_until};

const TERMINATE: Action = Action::TerminateCompShareCustomImage;
const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

impl Service {
    /// Advances the time by this many seconds of uptime, during which the server reads its clock every hour.
    fn run_for(&self, secs: u32) {
        self.context.trusted_now();
        for _ in 0..secs / HOUR {
            self.clock.pass(HOUR);
            self.context.trusted_now();
        }
        self.clock.pass(secs % HOUR);
        self.context.trusted_now();
    }

    /// Makes images with these names, deletes them and returns their ids.
    async fn delete(&self, names: &[&str]) -> Vec<String> {
        let mut deleted = Vec::new();
        for name in names {
            let id = self.make(INSTANCE, name).await;
            self.caller().ok(TERMINATE, &[("CompShareImageId", &id)]).await;
            deleted.push(id);
        }
        deleted
    }

    /// The names of the images in the trash, last deleted first.
    async fn trashed(&self) -> String {
        self.context.trash().await.unwrap().into_iter().map(|image| image.name).collect()
    }

    /// Starts the workers, waits for one run of trash expiry, and stops them.
    async fn expire_trash(&self) {
        // A run restores the reserve of disk space at its end.
        let reserve = self.folder.path().join("data/reserve");
        let _ = std::fs::remove_file(&reserve);
        let workers = self.start_workers().await;
        wait_until("a trash expiry run ends", async || reserve.exists()).await;
        workers.stop().await;
    }
}

#[tokio::test]
async fn deleted_images_are_kept_for_the_configured_days() {
    let config = Config { trash: TrashSettings { keep_days: 2 }, ..Config::default() };
    let service = Service::with(config).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        made.extend(service.delete(&[name]).await);
        if name != "c" {
            service.run_for(DAY);
        }
    }
    // Only the first image has been in the trash for two days.
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "cb");
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "cb");
    service.context.restore_image(&made[1], None).await.unwrap();
    assert_eq!(service.caller().images(&[]).await.len(), 1);
}

/// An empty CMOS battery, a resumed machine, a changed clock: no number of wrong readings in a row expires anything.
#[tokio::test]
async fn a_clock_jump_expires_nothing_until_it_has_lasted_a_day() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a", "b"]).await;
    let chunks = service.stored("chunks");
    let correct = service.clock.now();
    service.clock.set(correct + 400 * i64::from(DAY));
    for _ in 0..3 {
        service.expire_trash().await;
        // After a restart on the same folder.
        let restarted = service.reopen().await;
        restarted.clock.set(correct + 400 * i64::from(DAY));
        restarted.expire_trash().await;
    }
    service.run_for(DAY - HOUR);
    service.expire_trash().await;
    assert_eq!(service.trashed().await.len(), 2);
    assert!(service.context.held_back_secs().is_some_and(|secs| secs <= 2 * i64::from(HOUR)));
    service.context.sweep(false, |_, _| true).await.unwrap();
    assert_eq!(service.stored("chunks"), chunks);
    // After a day, the new time counts as correct.
    service.run_for(3 * HOUR);
    assert_eq!(service.context.held_back_secs(), None);
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "");
}

#[tokio::test]
async fn a_corrected_clock_has_expired_nothing() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a"]).await;
    let correct = service.clock.now();
    // Wrong for some hours, then corrected: the image keeps its full time in the trash.
    service.clock.set(correct + 30 * i64::from(DAY));
    service.run_for(5 * HOUR);
    service.clock.set(correct + 5 * i64::from(HOUR));
    service.run_for(6 * DAY);
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "a");
    service.run_for(DAY);
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "");

    // Set back to 1970, then corrected: an image deleted in between is not decades old.
    let correct = service.clock.now();
    service.clock.set(1000);
    service.delete(&["b"]).await;
    service.run_for(HOUR);
    service.expire_trash().await;
    service.clock.set(correct + i64::from(HOUR));
    service.expire_trash().await;
    service.run_for(DAY - 2 * HOUR);
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "b");
}

#[tokio::test]
async fn a_lost_clock_record_expires_nothing() {
    let service = Service::start().await;
    service.run_for(2 * DAY);
    service.delete(&["a"]).await;
    service.run_for(8 * DAY);
    std::fs::remove_file(service.folder.path().join("data/clock")).unwrap();
    let restarted = service.reopen().await;
    restarted.clock.set(service.clock.now());
    restarted.expire_trash().await;
    assert_eq!(restarted.trashed().await, "a");
    restarted.run_for(DAY);
    restarted.expire_trash().await;
    assert_eq!(restarted.trashed().await, "");
}

/// An explicit command to empty the trash and `keep_days = 0` take effect at once.
#[tokio::test]
async fn explicit_settings_and_commands_ignore_the_clock_check() {
    let service = Service::start().await;
    service.delete(&["a"]).await;
    service.context.empty_trash(EmptyTrash::default()).await.unwrap();
    assert_eq!(service.trashed().await, "");
    let config = Config { trash: TrashSettings { keep_days: 0 }, ..Config::default() };
    let service = Service::with(config).await;
    service.delete(&["a"]).await;
    service.expire_trash().await;
    assert_eq!(service.trashed().await, "");
}

#[tokio::test]
async fn an_image_deleted_while_being_made_cannot_be_restored() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    caller.ok(TERMINATE, &[("CompShareImageId", &id)]).await;
    let refused = service.context.restore_image(&id, None).await.unwrap_err();
    assert!(matches!(&refused, LibraryError::NeverMade(image) if *image == id), "{refused}");
    assert!(refused.to_string().contains("was deleted while it was being made"), "{refused}");
}
