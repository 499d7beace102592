//! Jobs of one account do not delay those of others.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use jingku_library::{Config, DiskFormat};
use jingku_protocol::actions::Action;

use crate::support::{Caller, INSTANCE, Service, wait_until};

/// A gzip file with many members that unpacks to this many GiB of zeros.
fn zeros(gib: usize) -> Vec<u8> {
    let mut member = GzEncoder::new(Vec::new(), Compression::best());
    let piece = vec![0; 1 << 20];
    for _ in 0..64 {
        member.write_all(&piece).unwrap();
    }
    member.finish().unwrap().repeat(gib * 16)
}

/// How many images of the account are being made now.
async fn in_progress(caller: &Caller, ids: &[String]) -> usize {
    let mut in_progress = 0;
    for id in ids {
        let progress = caller.progress(id).await;
        in_progress += usize::from(progress["Status"] == "Making" && progress["ProcessedBytes"] != 0);
    }
    in_progress
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_does_not_delay_jobs_of_another_account() {
    let config: Config = toml::from_str("[jobs]\nworkers = 4\n[limits]\nuploads = 40").unwrap();
    let service = Service::with(config).await;
    let (_, other) = service.stranger().await;
    let (large, small) = (zeros(100), zeros(1));
    let mut queue = Vec::new();
    for number in 0..30 {
        let file = if number < 2 { &large } else { &small };
        queue.push(other.upload(&format!("zeros-{number}"), file).await);
    }
    let workers = service.start_workers().await;
    wait_until("two jobs start", async || in_progress(&other, &queue).await >= 2).await;

    let caller = service.caller();
    let (second, third) =
        (service.disk("2.raw", DiskFormat::Raw, 2), service.disk("3.raw", DiskFormat::Raw, 3));
    service.instance("uhost-2", &second).await;
    service.instance("uhost-3", &third).await;
    for (instance, name) in [(INSTANCE, "a"), ("uhost-2", "b"), ("uhost-3", "c")] {
        let id = caller.create(instance, name).await;
        caller.wait_while_making(&id).await;
        assert_eq!(caller.image(&id).await["Status"], "Available");
    }
    // No image of the other account was finished first: half of the workers still make its first two.
    for id in &queue {
        assert_eq!(other.image(id).await["Status"], "Making", "made before the other account's images");
    }
    assert_eq!(in_progress(&other, &queue).await, 2);
    for id in &queue {
        other.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
    }
    workers.stop().await;
}
