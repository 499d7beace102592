//! An image has the bytes of its disk, and making it does not change the disk.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use compshare::{Client, Config};
use futures::StreamExt;
use jingku_library::DiskFormat;
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, PRIVATE_KEY, PUBLIC_KEY, Service, disk_bytes};

async fn exported(service: &Service, id: &str) -> Vec<u8> {
    let params = [("CompShareImageId", id)];
    service.caller().call(Action::ExportCompShareCustomImage, &params).await.body.to_vec()
}

fn content_and_mtime(disk: &Path) -> (Vec<u8>, SystemTime) {
    (fs::read(disk).unwrap(), disk.metadata().unwrap().modified().unwrap())
}

#[tokio::test]
async fn an_image_equals_its_disk_byte_for_byte() {
    let service = Service::start().await;
    for format in [DiskFormat::Raw, DiskFormat::Qcow2] {
        let id = format!("uhost-{format}");
        let disk = service.disk(&id, format, 3);
        let before = content_and_mtime(&disk);
        service.instance(&id, &disk).await;
        let image = service.make(&id, &id).await;
        assert_eq!(service.caller().image(&image).await["Status"], "Available");
        assert!(exported(&service, &image).await == disk_bytes(3), "{format}: the bytes differ");
        assert!(content_and_mtime(&disk) == before, "{format}: the source disk changed");
    }
}

#[tokio::test]
async fn equal_data_is_stored_once() {
    let service = Service::start().await;
    service.make(INSTANCE, "first").await;
    let stored = (service.stored("chunks").len(), service.stored("manifests").len());
    // Three chunks of random data (one occurs twice on the disk), one with text, and the last one.
    assert_eq!(stored, (5, 1));
    service.make(INSTANCE, "second").await;
    service.instance("uhost-copy", &service.disk("copy.qcow2", DiskFormat::Qcow2, 1)).await;
    let third = service.make("uhost-copy", "third").await;
    assert_eq!((service.stored("chunks").len(), service.stored("manifests").len()), stored);
    assert!(exported(&service, &third).await == disk_bytes(1));
}

/// Damages each chunk in turn. The client receives only correct bytes, and then an error instead of the end.
#[tokio::test]
async fn a_damaged_chunk_aborts_the_export() {
    let service = Service::start().await;
    let id = service.make(INSTANCE, "env").await;
    let mut config = Config::new(PUBLIC_KEY, PRIVATE_KEY);
    config.base_url = service.listen().await;
    config.max_retries = 0;
    let client = Client::new(config).unwrap();
    let disk = disk_bytes(1);
    let mut longest = 0;
    for chunk in service.stored("chunks") {
        let whole = fs::read(&chunk).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&chunk, damaged).unwrap();

        // The connection may close before the response head is sent.
        if let Ok((length, mut parts)) = client.export(&id).await {
            assert_eq!(length, Some(disk.len() as u64));
            let mut received = Vec::new();
            let broken = loop {
                match parts.next().await {
                    Some(Ok(part)) => received.extend_from_slice(&part),
                    Some(Err(_)) => break true,
                    None => break false,
                }
            };
            assert!(broken, "the export ended without an error");
            assert!(disk.starts_with(&received) && received.len() < disk.len(), "wrong bytes were served");
            longest = longest.max(received.len());
        }
        fs::write(&chunk, whole).unwrap();
    }
    assert!(longest > 0, "no export sent bytes before the damaged chunk");
    assert!(exported(&service, &id).await == disk);
}
