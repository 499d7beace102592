//! The sparse hash: zeros cost nothing, and a restart reads nothing.

use axum::body::Body;
use axum::http::Method;
use jingku_protocol::{FileHasher, HashKind};

use super::{IMPORT, hash, told};
use crate::support::{Caller, Reply, Service, disk_bytes};

const SPARSE: (&str, &str) = ("upload-hash", "sparse");

fn sparse_hash(parts: &[(u64, &[u8])]) -> String {
    let mut hasher = FileHasher::new(HashKind::Sparse);
    for (zeros, bytes) in parts {
        hasher.zeros(*zeros);
        hasher.update(bytes);
    }
    hasher.hash()
}

impl Caller {
    async fn append_sparse(&self, link: &str, at: u64, bytes: &[u8]) -> (u16, Option<usize>) {
        let at = at.to_string();
        let headers = [("upload-offset", &*at), SPARSE];
        told(&self.to(Method::PATCH, link, &headers, Body::from(bytes.to_vec())).await)
    }

    async fn append_zeros(&self, link: &str, at: u64, count: u64) -> (u16, Option<usize>) {
        let (at, count) = (at.to_string(), count.to_string());
        let headers = [("upload-offset", &*at), ("upload-zeros", &*count), SPARSE];
        told(&self.to(Method::PATCH, link, &headers, Body::empty()).await)
    }

    /// What has come, by the hash that is asked for: how much, the hash, and its kind.
    async fn look_for(&self, link: &str, kind: &str) -> (usize, String, String) {
        let response = self.to(Method::HEAD, link, &[("upload-hash", kind)], Body::empty()).await;
        assert_eq!(response.status(), 200);
        let text = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        (told(&response).1.unwrap(), text("upload-blake3"), text("upload-hash"))
    }

    async fn agree_sparse(&self, link: &str, length: u64, hash: &str) -> u16 {
        let length = length.to_string();
        let headers = [("upload-length", &*length), ("upload-blake3", hash), SPARSE];
        self.to(Method::POST, link, &headers, Body::empty()).await.status().as_u16()
    }
}

/// 900 GB with a few bytes in it: room is asked for those, and neither side hashes the rest.
#[tokio::test]
async fn a_huge_sparse_file_costs_what_is_in_it() {
    let service = Service::start().await;
    let caller = service.caller();
    let (size, half) = (900_u64 << 30, 450_u64 << 30);
    let asked = [("Name", "env"), ("SizeBytes", &*size.to_string())];
    assert_eq!(caller.refusal(IMPORT, &asked).await.0, 8095, "all of it would have to fit");
    let (id, link) = caller.import(&[asked[0], asked[1], ("DataBytes", "65536")]).await;
    assert_eq!(caller.append_zeros(&link, 0, half).await, (204, Some(usize::try_from(half).unwrap())));
    assert_eq!(caller.append_sparse(&link, half, b"data").await.0, 204);
    let rest = size - half - 4;
    assert_eq!(caller.append_zeros(&link, half + 4, rest + 1).await.0, 413);
    assert_eq!(caller.append_zeros(&link, half + 4, rest).await.0, 204);
    // What has come takes no room, so another one fits too.
    caller.import(&[("Name", "other"), asked[1], ("DataBytes", "65536")]).await;
    let whole = sparse_hash(&[(half, b"data"), (rest, b"")]);
    assert_eq!(
        caller.look_for(&link, "sparse").await,
        (usize::try_from(size).unwrap(), whole.clone(), "sparse".to_owned())
    );
    assert_eq!(caller.agree_sparse(&link, size, &whole).await, 204);
    // Once more is no harm, another hash is.
    assert_eq!(caller.agree_sparse(&link, size, &whole).await, 204);
    assert_eq!(caller.agree_sparse(&link, size, &hash(b"")).await, 409);
    service.work_off(&id).await;
    let image = caller.image(&id).await;
    assert_eq!(image["Status"], "Available", "{image}");
    assert!(!service.spools().contains(&id), "{:?}", service.spools());
}

/// Bytes that a plain hash needs a second for are not taken at once.
#[tokio::test]
async fn zeros_are_limited_where_they_cost_time() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env")]).await;
    let headers = [("upload-offset", "0"), ("upload-zeros", "1073741825")];
    let response = caller.to(Method::PATCH, &link, &headers, Body::empty()).await;
    assert_eq!(
        Reply::read(response).await.refusal(),
        (230, "Params [Upload-Zeros] not available".to_owned())
    );
    assert_eq!(caller.append_zeros(&link, 0, 1 << 31).await.0, 204);
    let headers = [("upload-offset", "0"), ("upload-hash", "md5")];
    let response = caller.to(Method::PATCH, &link, &headers, Body::empty()).await;
    assert_eq!(Reply::read(response).await.refusal(), (230, "Params [Upload-Hash] not available".to_owned()));
}

#[tokio::test]
async fn a_restart_reads_nothing_and_either_hash_can_be_asked_for() {
    let service = Service::start().await;
    let (id, link) = service.caller().import(&[("Name", "env")]).await;
    let disk = disk_bytes(9);
    let half = 1_000_001;
    assert_eq!(service.caller().append_sparse(&link, 0, &disk[..half]).await, (204, Some(half)));

    // Only the block that is not full is read: what lies before may be anything, and its hash is known all the same.
    let spool = service.folder.path().join("data/uploads").join(&id);
    let kept = std::fs::read(&spool).unwrap();
    let mut other = kept.clone();
    other[5] ^= 1;
    std::fs::write(&spool, &other).unwrap();
    let caller = service.reopen().await.caller();
    let known = (half, sparse_hash(&[(0, &disk[..half])]), "sparse".to_owned());
    assert_eq!(caller.look_for(&link, "sparse").await, known);

    // A client that knows the plain hash alone.
    std::fs::write(&spool, &kept).unwrap();
    let caller = service.reopen().await.caller();
    assert_eq!(caller.look(&link).await, (half, hash(&disk[..half])));
    assert_eq!(caller.append(&link, half, &disk[half..2 * half]).await, (204, Some(2 * half)));
    // And back, also without a state of it in the catalogue.
    let caller = service.reopen().await.caller();
    let known = (2 * half, sparse_hash(&[(0, &disk[..2 * half])]), "sparse".to_owned());
    assert_eq!(caller.look_for(&link, "sparse").await, known);
    // Less than was acknowledged is not taken for all.
    std::fs::write(&spool, &kept[..100]).unwrap();
    let caller = service.reopen().await.caller();
    let known = (100, sparse_hash(&[(0, &disk[..100])]), "sparse".to_owned());
    assert_eq!(caller.look_for(&link, "sparse").await, known);
    assert_eq!(caller.append_sparse(&link, 100, &disk[100..]).await, (204, Some(disk.len())));
    let whole = sparse_hash(&[(0, &disk)]);
    assert_eq!(caller.agree_sparse(&link, disk.len() as u64, &whole).await, 204);
    let finished = (disk.len(), whole, "sparse".to_owned());
    assert_eq!(caller.look_for(&link, "plain").await, finished, "it is the one that was agreed on");
    service.work_off(&id).await;
    assert!(caller.disk(&id).await == disk);
}

/// What was declared can be compared only with a hash of the same kind.
#[tokio::test]
async fn a_declared_hash_is_the_plain_one() {
    let service = Service::start().await;
    let caller = service.caller();
    let declared = hash(&[7; 5]);
    let (id, link) = caller.import(&[("Name", "env"), ("Blake3", &declared)]).await;
    assert_eq!(caller.append_sparse(&link, 0, &[7; 5]).await, (204, Some(5)));
    assert_eq!(caller.look_for(&link, "sparse").await, (5, declared.clone(), "plain".to_owned()));
    assert_eq!(caller.agree_sparse(&link, 5, &declared).await, 204);
    service.work_off(&id).await;
    assert!(caller.disk(&id).await == [7; 5]);
}
