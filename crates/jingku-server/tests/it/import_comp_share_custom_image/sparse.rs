//! The sparse hash: zeros cost no time, and a restart does not reread the file.

use axum::body::Body;
use axum::http::Method;
use jingku_protocol::{FileHasher, HashKind};

use super::{IMPORT, hash, status_and_offset};
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
        status_and_offset(
            &self.upload_request(Method::PATCH, link, &headers, Body::from(bytes.to_vec())).await,
        )
    }

    async fn append_zeros(&self, link: &str, at: u64, count: u64) -> (u16, Option<usize>) {
        let (at, count) = (at.to_string(), count.to_string());
        let headers = [("upload-offset", &*at), ("upload-zeros", &*count), SPARSE];
        status_and_offset(&self.upload_request(Method::PATCH, link, &headers, Body::empty()).await)
    }

    /// Gets how many bytes have arrived, their hash of the requested kind, and the kind returned.
    async fn upload_state_by(&self, link: &str, kind: &str) -> (usize, String, String) {
        let response = self.upload_request(Method::HEAD, link, &[("upload-hash", kind)], Body::empty()).await;
        assert_eq!(response.status(), 200);
        let text = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        (status_and_offset(&response).1.unwrap(), text("upload-blake3"), text("upload-hash"))
    }

    async fn complete_sparse(&self, link: &str, length: u64, hash: &str) -> u16 {
        let length = length.to_string();
        let headers = [("upload-length", &*length), ("upload-blake3", hash), SPARSE];
        self.upload_request(Method::POST, link, &headers, Body::empty()).await.status().as_u16()
    }
}

/// A file of 900 GiB with a few bytes of data: only these need disk space and hashing.
#[tokio::test]
async fn a_huge_sparse_file_costs_only_its_data() {
    let service = Service::start().await;
    let caller = service.caller();
    let (size, half) = (900_u64 << 30, 450_u64 << 30);
    let asked = [("Name", "env"), ("SizeBytes", &*size.to_string())];
    assert_eq!(caller.refusal(IMPORT, &asked).await.0, 8095, "without DataBytes, the whole size must fit");
    let (id, link) = caller.import(&[asked[0], asked[1], ("DataBytes", "65536")]).await;
    assert_eq!(caller.append_zeros(&link, 0, half).await, (204, Some(usize::try_from(half).unwrap())));
    assert_eq!(caller.append_sparse(&link, half, b"data").await.0, 204);
    let rest = size - half - 4;
    assert_eq!(caller.append_zeros(&link, half + 4, rest + 1).await.0, 413);
    assert_eq!(caller.append_zeros(&link, half + 4, rest).await.0, 204);
    // The zeros that arrived need no disk space, so another import fits.
    caller.import(&[("Name", "other"), asked[1], ("DataBytes", "65536")]).await;
    let whole = sparse_hash(&[(half, b"data"), (rest, b"")]);
    assert_eq!(
        caller.upload_state_by(&link, "sparse").await,
        (usize::try_from(size).unwrap(), whole.clone(), "sparse".to_owned())
    );
    assert_eq!(caller.complete_sparse(&link, size, &whole).await, 204);
    // A repeated completion succeeds. Another hash is refused.
    assert_eq!(caller.complete_sparse(&link, size, &whole).await, 204);
    assert_eq!(caller.complete_sparse(&link, size, &hash(b"")).await, 409);
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    assert_eq!(image["Status"], "Available", "{image}");
    assert!(!service.upload_files().contains(&id), "{:?}", service.upload_files());
}

/// One request must not declare more zeros than the plain hash can process in a moment.
#[tokio::test]
async fn declared_zeros_are_limited_for_the_plain_hash() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env")]).await;
    let headers = [("upload-offset", "0"), ("upload-zeros", "1073741825")];
    let response = caller.upload_request(Method::PATCH, &link, &headers, Body::empty()).await;
    assert_eq!(
        Reply::read(response).await.refusal(),
        (230, "Params [Upload-Zeros] not available".to_owned())
    );
    assert_eq!(caller.append_zeros(&link, 0, 1 << 31).await.0, 204);
    let headers = [("upload-offset", "0"), ("upload-hash", "md5")];
    let response = caller.upload_request(Method::PATCH, &link, &headers, Body::empty()).await;
    assert_eq!(Reply::read(response).await.refusal(), (230, "Params [Upload-Hash] not available".to_owned()));
}

#[tokio::test]
async fn a_restart_rereads_nothing_and_serves_both_hashes() {
    let service = Service::start().await;
    let (id, link) = service.caller().import(&[("Name", "env")]).await;
    let disk = disk_bytes(9);
    let half = 1_000_001;
    assert_eq!(service.caller().append_sparse(&link, 0, &disk[..half]).await, (204, Some(half)));

    // The server reads only the last, partial block. The hash of the blocks before it is stored, whatever they contain now.
    let upload_file = service.folder.path().join("data/uploads").join(&id);
    let kept = std::fs::read(&upload_file).unwrap();
    let mut other = kept.clone();
    other[5] ^= 1;
    std::fs::write(&upload_file, &other).unwrap();
    let caller = service.reopen().await.caller();
    let known = (half, sparse_hash(&[(0, &disk[..half])]), "sparse".to_owned());
    assert_eq!(caller.upload_state_by(&link, "sparse").await, known);

    // A client that supports only the plain hash.
    std::fs::write(&upload_file, &kept).unwrap();
    let caller = service.reopen().await.caller();
    assert_eq!(caller.upload_state(&link).await, (half, hash(&disk[..half])));
    assert_eq!(caller.append(&link, half, &disk[half..2 * half]).await, (204, Some(2 * half)));
    // Back to the sparse hash, without its state in the catalogue.
    let caller = service.reopen().await.caller();
    let known = (2 * half, sparse_hash(&[(0, &disk[..2 * half])]), "sparse".to_owned());
    assert_eq!(caller.upload_state_by(&link, "sparse").await, known);
    // After data loss, the offset is the size of the file, not the acknowledged offset.
    std::fs::write(&upload_file, &kept[..100]).unwrap();
    let caller = service.reopen().await.caller();
    let known = (100, sparse_hash(&[(0, &disk[..100])]), "sparse".to_owned());
    assert_eq!(caller.upload_state_by(&link, "sparse").await, known);
    assert_eq!(caller.append_sparse(&link, 100, &disk[100..]).await, (204, Some(disk.len())));
    let whole = sparse_hash(&[(0, &disk)]);
    assert_eq!(caller.complete_sparse(&link, disk.len() as u64, &whole).await, 204);
    let finished = (disk.len(), whole, "sparse".to_owned());
    assert_eq!(caller.upload_state_by(&link, "plain").await, finished, "a completed upload keeps its hash");
    service.finish_job(&id).await;
    assert!(caller.disk(&id).await == disk);
}

/// A declared hash can be compared only with a hash of the same kind.
#[tokio::test]
async fn a_declared_hash_is_a_plain_hash() {
    let service = Service::start().await;
    let caller = service.caller();
    let declared = hash(&[7; 5]);
    let (id, link) = caller.import(&[("Name", "env"), ("Blake3", &declared)]).await;
    assert_eq!(caller.append_sparse(&link, 0, &[7; 5]).await, (204, Some(5)));
    assert_eq!(caller.upload_state_by(&link, "sparse").await, (5, declared.clone(), "plain".to_owned()));
    assert_eq!(caller.complete_sparse(&link, 5, &declared).await, 204);
    service.finish_job(&id).await;
    assert!(caller.disk(&id).await == [7; 5]);
}
