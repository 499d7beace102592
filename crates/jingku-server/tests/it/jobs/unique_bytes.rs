//! The limit of distinct bytes, through saves, imports and copies of disks that share chunks.

use std::path::{Path, PathBuf};

use jingku_library::{Config, Limit, Random, SeededRandom};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

/// Bytes of a chunk of a disk.
const CHUNK: usize = 256 << 10;

/// A disk of chunks that differ if their numbers do.
fn disk(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut disk = Vec::new();
    for number in numbers {
        let start = disk.len();
        disk.resize(start + CHUNK, 0);
        SeededRandom::new(number).fill(&mut disk[start..]);
    }
    disk
}

async fn limited(chunks: usize) -> Service {
    let service = Service::start().await;
    set(&service, chunks).await;
    service
}

/// Sets the limit so that a fraction of a chunk would remain.
async fn set(service: &Service, chunks: usize) {
    let max = i64::try_from((chunks + 1) * CHUNK - 1).unwrap();
    service.context.library.set_account_limits(1, &[(Limit::UniqueBytes, Some(max))]).await.unwrap();
}

impl Service {
    /// Declares an instance with a raw disk, and returns its path.
    async fn declare(&self, id: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(format!("{id}.raw"));
        std::fs::write(&path, content).unwrap();
        self.instance(id, &path).await;
        path
    }

    /// Makes an image of a disk with this content; returns its id and why it failed.
    async fn save(&self, instance: &str, path: &Path, content: &[u8], name: &str) -> (String, String) {
        std::fs::write(path, content).unwrap();
        let id = self.make(instance, name).await;
        let reason = self.reason(&id).await;
        (id, reason)
    }

    /// Why an image failed; empty if it was made.
    async fn reason(&self, id: &str) -> String {
        let image = self.caller().image(id).await;
        let is_made = image["Status"] == "Available";
        let reason = image["FailedReason"].as_str().unwrap_or_default().to_owned();
        assert_eq!(is_made, reason.is_empty(), "{image}");
        reason
    }

    async fn purge(&self, id: &str) {
        let caller = self.caller();
        caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
        caller.ok(Action::PurgeCompShareTrashedImages, &[("CompShareImageIds.0", id)]).await;
    }
}

/// The refusal of an image that adds so many chunks to those of the account.
fn refusal(used: usize, more: usize, max: usize) -> String {
    let size = |bytes: usize, mb: usize| {
        if bytes < 1 << 20 { format!("{bytes} bytes") } else { format!("{mb} MB") }
    };
    let up = |bytes: usize| size(bytes, bytes.div_ceil(1 << 20));
    let max = (max + 1) * CHUNK - 1;
    format!(
        "The account's images hold {} of deduplicated data, the deleted ones that are still kept included, and the image \
         adds {} more, but they may hold {}; delete some, or ask the operator for more.",
        up(used * CHUNK),
        up(more * CHUNK),
        size(max, max >> 20)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_of_which_one_percent_has_changed_counts_one_percent() {
    let service = limited(101).await;
    let first: Vec<u64> = (1..=100).collect();
    let mut second = first.clone();
    second[50] = 101;
    let mut third = second.clone();
    third[20] = 102;
    let path = service.declare("uhost-vm", &disk(1..=100)).await;
    let save = async |numbers: &[u64], name: &str| {
        service.save("uhost-vm", &path, &disk(numbers.iter().copied()), name).await
    };
    let (one, reason) = save(&first, "one").await;
    assert_eq!(reason, "");
    let (_, reason) = save(&second, "two").await;
    assert_eq!(reason, "", "it adds one chunk");
    let (failed, reason) = save(&third, "three").await;
    assert_eq!(reason, refusal(101, 1, 101));
    service.purge(&failed).await;
    // Content of the account adds nothing, saved again, copied, or put together differently.
    assert_eq!(save(&second, "two-again").await.1, "");
    let mixed: Vec<u64> = second.iter().rev().copied().collect();
    assert_eq!(save(&mixed, "mixed").await.1, "");
    let (caller, library) = (service.caller(), &service.context.library);
    set(&service, 0).await;
    let copy = [("CompShareImageId", &*one), ("TargetImageName", "copy")];
    let copy = caller.ok(Action::CopyCompShareCustomImage, &copy).await;
    let sync = [("SourceCompShareImageId", &*one), ("TargetZoneIds.0", "8200")];
    let sync = caller.ok(Action::SyncCompShareCustomImage, &sync).await;
    assert_eq!(sync["SuccessCount"], 1, "{sync}");
    // A lowered limit removes nothing, and does not show up in what others may have.
    assert_eq!(caller.images(&[]).await.len(), 6);
    assert_eq!(save(&third, "three").await.1, refusal(101, 1, 0));
    set(&service, 101).await;
    // The chunk that the second version replaced counts until no image has it.
    assert_eq!(save(&third, "three").await.1, refusal(101, 1, 101));
    for id in [&one, copy["NewCompShareImageId"].as_str().unwrap()] {
        service.purge(id).await;
    }
    assert_eq!(save(&third, "three").await.1, refusal(101, 1, 101));
    let synced = sync["Results"][0]["CompShareImageId"].as_str().unwrap();
    service.purge(synced).await;
    assert_eq!(save(&third, "three").await.1, "", "the second version needs 100 chunks");
    library.set_account_limits(1, &[(Limit::UniqueBytes, None)]).await.unwrap();
    assert_eq!(save(&(200..300).collect::<Vec<_>>(), "other").await.1, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_counts_what_it_adds() {
    let service = limited(12).await;
    let import = async |numbers: &[u64], name: &str| {
        let file = disk(numbers.iter().copied());
        let id = service.caller().upload(name, &file).await;
        service.finish_job(&id).await;
        service.reason(&id).await
    };
    let base: Vec<u64> = (1..=10).collect();
    assert_eq!(import(&base, "a").await, "");
    assert_eq!(import(&[&base[2..], &[11, 12]].concat(), "b").await, "");
    assert_eq!(import(&[&base[..], &[13]].concat(), "c").await, refusal(12, 1, 12));
    assert_eq!(import(&(20..26).collect::<Vec<_>>(), "d").await, refusal(12, 6, 12));
    assert_eq!(import(&[12, 1], "e").await, "");
    let usage = service.caller().ok(Action::DescribeCompShareImageUsage, &[]).await;
    let limits = usage["LimitSet"].as_array().unwrap();
    let shown = limits.iter().find(|limit| limit["Name"] == "UniqueBytes").unwrap();
    assert_eq!(shown["Max"], json!(13 * CHUNK - 1), "{usage}");
}

/// Several jobs of the account run at the same time. As many are made as fit, and not one more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_jobs_do_not_exceed_the_limit() {
    const JOBS: u64 = 12;
    const SHARED: u64 = 5;
    let service = Service::with(toml::from_str::<Config>("[jobs]\nworkers = 8").unwrap()).await;
    set(&service, 9).await;
    let mut ids = Vec::new();
    for number in 0..JOBS {
        let instance = format!("uhost-{number}");
        service.declare(&instance, &disk((1..=SHARED).chain([100 + number]))).await;
        ids.push(service.caller().create(&instance, &instance).await);
    }
    let workers = service.start_workers().await;
    let mut reasons = Vec::new();
    for id in &ids {
        service.caller().wait_while_making(id).await;
        reasons.push(service.reason(id).await);
    }
    workers.stop().await;
    assert_eq!(reasons.iter().filter(|reason| reason.is_empty()).count(), 4, "{reasons:?}");
    assert_eq!(reasons.iter().filter(|reason| **reason == refusal(9, 1, 9)).count(), 8, "{reasons:?}");
}

/// A manifest that is lost counts as if its image shared no chunk, so that it does not matter if it is found again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_whose_manifest_is_lost_counts_in_full() {
    let service = limited(22).await;
    let path = service.declare("uhost-vm", &disk(1..=10)).await;
    let save = async |last: u64, name: &str| {
        let content = disk((1..10).chain([last]));
        service.save("uhost-vm", &path, &content, name).await
    };
    let (one, reason) = save(100, "one").await;
    assert_eq!(reason, "");
    let lost = service.stored("manifests").remove(0);
    let manifest = std::fs::read(&lost).unwrap();
    assert_eq!(save(101, "two").await.1, "");
    std::fs::write(&lost, &manifest[..manifest.len() / 2]).unwrap();
    // Ten chunks of each, of which nine could be the same, and one.
    assert_eq!(save(102, "three").await.1, "");
    std::fs::remove_file(&lost).unwrap();
    assert_eq!(save(103, "four").await.1, "");
    let (failed, reason) = save(104, "five").await;
    assert_eq!(reason, refusal(22, 1, 22));
    service.purge(&failed).await;
    // It is found again, and shares nine chunks.
    std::fs::write(&lost, &manifest).unwrap();
    assert_eq!(save(104, "five").await.1, "");
    std::fs::remove_file(&lost).unwrap();
    service.purge(&one).await;
    assert_eq!(save(105, "six").await.1, "");
}
