//! An estimate reads like a real call and saves nothing.

use std::fs::File;
use std::os::unix::fs::FileExt;

use jingku_library::{DiskFormat, Limit};
use jingku_protocol::actions::Action;
use serde_json::Value;

use crate::support::{Caller, INSTANCE, Service, disk_bytes};

const CREATE: Action = Action::CreateCompShareCustomImage;
const CHUNK: u64 = 256 << 10;

async fn estimate(caller: &Caller, instance: &str) -> Value {
    let params = [("UHostId", instance), ("Name", "next"), ("Estimate", "true")];
    let reply = caller.ok(CREATE, &params).await;
    assert!(reply.get("CompShareImageId").is_none(), "{reply}");
    reply
}

/// The fields of an estimate: size, sampled, new.
fn bytes(reply: &Value) -> [u64; 3] {
    ["SizeBytes", "SampledBytes", "NewBytes"].map(|name| reply["Estimate"][name].as_u64().unwrap())
}

#[tokio::test]
async fn nothing_is_saved() {
    let service = Service::start().await;
    let caller = service.caller();
    service.make(INSTANCE, "first").await;
    service.instance("uhost-other", &service.disk("other.raw", DiskFormat::Qcow2, 2)).await;
    let before = (service.stored("chunks"), service.stored("manifests"));
    let reply = estimate(&caller, "uhost-other").await;
    assert_eq!((service.stored("chunks"), service.stored("manifests")), before);
    assert_eq!(caller.images(&[]).await.len(), 1);
    assert!(service.catalog().await.claim_job("test", i64::MAX, 0, 60).await.unwrap().is_none());
    assert_eq!(reply["Estimate"]["Fits"], true, "{reply}");
    assert_eq!(reply["Estimate"]["Seconds"], 1, "{reply}");
}

#[tokio::test]
async fn what_an_image_of_the_account_has_is_not_new() {
    let service = Service::start().await;
    let caller = service.caller();
    let [size, sampled, new] = bytes(&estimate(&caller, INSTANCE).await);
    assert!(size > 0);
    assert_eq!((sampled, new), (size, size));

    service.make(INSTANCE, "first").await;
    assert_eq!(bytes(&estimate(&caller, INSTANCE).await), [size, size, 0]);

    let disk = File::options().write(true).open(service.folder.path().join("lab1.raw")).unwrap();
    disk.write_all_at(b"changed", 300_000).unwrap();
    assert_eq!(bytes(&estimate(&caller, INSTANCE).await), [size, size, CHUNK]);
}

/// The estimate would otherwise disclose what other accounts store.
#[tokio::test]
async fn data_of_other_accounts_is_new() {
    let service = Service::start().await;
    service.make(INSTANCE, "first").await;
    let (account, stranger) = service.stranger().await;
    service.instance_of(account, "uhost-same", &service.disk("same.raw", DiskFormat::Raw, 1), None).await;
    let [size, sampled, new] = bytes(&estimate(&stranger, "uhost-same").await);
    assert_eq!((sampled, new), (size, size));
    let params = [("UHostId", INSTANCE), ("Name", "next"), ("Estimate", "true")];
    stranger.assert_refused(CREATE, &params, 8039, &format!("Resource not exist [{INSTANCE}]")).await;
}

/// 1024 chunks of data, of which an image has the first half.
#[tokio::test]
async fn a_large_disk_is_sampled() {
    let service = Service::start().await;
    let caller = service.caller();
    let path = service.folder.path().join("large.raw");
    let disk = File::create_new(&path).unwrap();
    let block = disk_bytes(7)[..256 << 10].to_vec();
    let write = |chunks: std::ops::Range<u64>| {
        for number in chunks {
            disk.write_all_at(&block, number * CHUNK).unwrap();
            disk.write_all_at(&number.to_le_bytes(), number * CHUNK + 1000).unwrap();
        }
    };
    disk.set_len(1024 * CHUNK).unwrap();
    write(0..512);
    service.instance("uhost-large", &path).await;
    service.make("uhost-large", "half").await;
    write(512..1024);
    let [size, sampled, new] = bytes(&estimate(&caller, "uhost-large").await);
    assert_eq!([size, sampled, new], [1024 * CHUNK, 256 * CHUNK, 512 * CHUNK]);
}

#[tokio::test]
async fn the_refusals_of_a_real_call_apply() {
    let service = Service::start().await;
    let caller = service.caller();
    let params = [("UHostId", INSTANCE), ("Name", "first"), ("Estimate", "true")];
    let id = caller.create(INSTANCE, "first").await;
    assert_eq!(caller.refusal(CREATE, &params).await.0, 8964);
    service.finish_job(&id).await;
    caller.assert_refused(CREATE, &params, 230, "Params [Name] not available").await;
    std::fs::remove_file(service.folder.path().join("lab1.raw")).unwrap();
    assert_eq!(caller.refusal(CREATE, &params).await.0, 8905);
}

#[tokio::test]
async fn an_image_beyond_a_limit_does_not_fit() {
    let service = Service::start().await;
    let caller = service.caller();
    for (limit, max, words) in [
        (Limit::Images, 0, "may have 0"),
        (Limit::StoredBytes, 1 << 20, "may hold 1 MB"),
        (Limit::UniqueBytes, 1 << 18, "of deduplicated data"),
    ] {
        service.context.library.set_account_limits(1, &[(limit, Some(max))]).await.unwrap();
        let reply = estimate(&caller, INSTANCE).await;
        assert_eq!(reply["Estimate"]["Fits"], false, "{reply}");
        assert!(
            reply["Warnings"].as_array().unwrap().iter().any(|text| text.as_str().unwrap().contains(words))
        );
        service.context.library.set_account_limits(1, &[(limit, None)]).await.unwrap();
    }
}
