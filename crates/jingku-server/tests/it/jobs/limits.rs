//! Account limits: every action that would exceed one is refused, and the message has the account's numbers.

use jingku_library::{Config, DiskFormat, Limit};
use jingku_protocol::actions::Action;

use crate::support::{DISK_BYTES, INSTANCE, Service, disk_bytes, wait_until};

async fn limited(limits: &str) -> Service {
    Service::with(toml::from_str::<Config>(&format!("[limits]\n{limits}")).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_per_account_are_limited() {
    let service = limited("images = 2").await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let copy = |name| [("CompShareImageId", id.clone()), ("TargetImageName", String::from(name))];
    let params = copy("copy");
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    caller.ok(Action::CopyCompShareCustomImage, &params).await;
    let full = (
        8095,
        "The account has 2 images and asks for 1 more, but may have 2; delete some, or ask the operator for more"
            .to_owned(),
    );
    let params = copy("another");
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(caller.refusal(Action::CopyCompShareCustomImage, &params).await, full);
    let create = [("UHostId", INSTANCE), ("Name", "new")];
    assert_eq!(caller.refusal(Action::CreateCompShareCustomImage, &create).await, full);
    let import = [("Name", "new"), ("SizeBytes", "10")];
    assert_eq!(caller.refusal(Action::ImportCompShareCustomImage, &import).await, full);
    let sync = [("SourceCompShareImageId", id.as_str()), ("TargetZoneIds.0", "8200")];
    let synced = caller.ok(Action::SyncCompShareCustomImage, &sync).await;
    let result = &synced["Results"][0];
    assert_eq!((&result["RetCode"], &result["Message"]), (&8095.into(), &full.1.as_str().into()), "{synced}");
    assert_eq!(caller.images(&[]).await.len(), 2);

    // Another account has its own limit, and the operator can raise limits.
    let (account, stranger) = service.stranger().await;
    let disk = service.disk("other.raw", DiskFormat::Raw, 5);
    service.instance_of(account, "uhost-other", &disk, None).await;
    stranger.create("uhost-other", "env").await;
    service.context.library.set_account_limits(1, &[(Limit::Images, Some(3))]).await.unwrap();
    caller.create(INSTANCE, "new").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_over_the_storage_limit_is_not_made() {
    let service = limited("stored_bytes = 1000000").await;
    let id = service.make(INSTANCE, "env").await;
    let image = service.caller().image(&id).await;
    assert_eq!(image["Status"], "UnAvailable");
    let reason = image["FailedReason"].as_str().unwrap();
    assert!(reason.starts_with("The account's images hold 0 bytes of data"), "{reason}");
    service.context.library.set_account_limits(1, &[(Limit::StoredBytes, Some(1 << 30))]).await.unwrap();
    let id = service.make(INSTANCE, "env").await;
    assert_eq!(service.caller().image(&id).await["Status"], "Available");
    let limits = service.context.library.account_limits(1).await.unwrap();
    let stored = limits.iter().find(|state| state.limit == Limit::StoredBytes).unwrap();
    assert!(stored.used > 1_000_000 && stored.used <= i64::try_from(DISK_BYTES).unwrap(), "{stored:?}");
}

#[tokio::test]
async fn unfinished_uploads_are_limited_in_bytes() {
    let service = limited("upload_bytes = '3MB'").await;
    let caller = service.caller();
    caller.import(&[("Name", "a"), ("SizeBytes", "2000000")]).await;
    let full = (
        8095,
        "The files that the account has uploaded have 2 MB and the account asks for 2 MB more, but they may have 3 MB \
         until images are made of them; finish or delete one"
            .to_owned(),
    );
    let more = [("Name", "b"), ("SizeBytes", "2000000")];
    assert_eq!(caller.refusal(Action::ImportCompShareCustomImage, &more).await, full);
    // A file of unknown size can grow up to the limit.
    let (_, link) = caller.import(&[("Name", "c")]).await;
    let disk = disk_bytes(7);
    assert_eq!(caller.append(&link, 0, &disk[..1_000_000]).await.0, 204);
    assert_eq!(caller.append(&link, 1_000_000, &disk[..1_000_000]).await.0, 507);
    let (_, stranger) = service.stranger().await;
    stranger.import(&more).await;
}

/// Older versions did not record the data size of images. It is counted after the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_of_older_versions_are_counted() {
    let service = Service::start().await;
    service.make(INSTANCE, "env").await;
    let stored = async || {
        let limits = service.context.library.account_limits(1).await.unwrap();
        limits.iter().find(|state| state.limit == Limit::StoredBytes).unwrap().used
    };
    let expected = stored().await;
    assert!(expected > 0);
    service.run_sql("UPDATE images SET data_bytes = NULL").await;
    assert_eq!(stored().await, 0);
    let workers = service.start_workers().await;
    wait_until("the data is counted", async || stored().await == expected).await;
    workers.stop().await;
}
