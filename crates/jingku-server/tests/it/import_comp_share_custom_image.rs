//! The action, and uploads to the links it returns.

mod files;
mod interruptions;
mod sparse;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use axum::response::Response;
use jingku_library::MAX_ACCOUNT_UPLOADS;
use jingku_protocol::actions::Action;
use serde_json::Value;

use crate::support::{Caller, INSTANCE, NOW, Reply, Service, disk_bytes, wait_until};

const IMPORT: Action = Action::ImportCompShareCustomImage;
const DAY_SECS: u32 = 86_400;

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl Caller {
    /// Starts an import; returns the image id and the upload link.
    pub(crate) async fn import(&self, params: &[(&str, &str)]) -> (String, String) {
        let reply = self.ok(IMPORT, params).await;
        let url = reply["Url"].as_str().unwrap();
        (
            reply["CompShareImageId"].as_str().unwrap().to_owned(),
            url[url.rfind("/uploads/").unwrap()..].to_owned(),
        )
    }

    async fn upload_request(
        &self,
        method: Method,
        link: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response {
        let request = Request::builder().method(method).uri(link);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.open(request.body(body).unwrap()).await
    }

    /// Appends bytes; returns the status and the offset.
    pub(crate) async fn append(&self, link: &str, at: usize, bytes: &[u8]) -> (u16, Option<usize>) {
        let (at, length) = (at.to_string(), bytes.len().to_string());
        let headers = [("upload-offset", &*at), ("content-length", &*length)];
        status_and_offset(
            &self.upload_request(Method::PATCH, link, &headers, Body::from(bytes.to_vec())).await,
        )
    }

    /// Gets how many bytes have arrived, and their hash.
    async fn upload_state(&self, link: &str) -> (usize, String) {
        let response = self.upload_request(Method::HEAD, link, &[], Body::empty()).await;
        assert_eq!(response.status(), 200);
        let hash = response.headers()["upload-blake3"].to_str().unwrap().to_owned();
        (status_and_offset(&response).1.unwrap(), hash)
    }

    async fn complete(&self, link: &str, length: usize, hash: &str) -> Response {
        let length = length.to_string();
        let headers = [("upload-length", &*length), ("upload-blake3", hash)];
        self.upload_request(Method::POST, link, &headers, Body::empty()).await
    }

    async fn assert_upload_refused(&self, link: &str, status: u16, code: i64) {
        for method in [Method::PATCH, Method::POST, Method::HEAD] {
            let headers = [("upload-offset", "0"), ("upload-length", "1"), ("upload-blake3", "")];
            let response = self.upload_request(method.clone(), link, &headers, Body::empty()).await;
            assert_eq!(response.status(), status, "{method} {link}");
            if method != Method::HEAD {
                assert_eq!(Reply::read(response).await.refusal().0, code, "{method} {link}");
            }
        }
    }

    /// Uploads a whole file.
    pub(crate) async fn upload(&self, name: &str, file: &[u8]) -> String {
        self.upload_as(name, file, None).await
    }

    /// Uploads a whole file with an explicit disk format.
    async fn upload_as(&self, name: &str, file: &[u8], format: Option<&str>) -> String {
        let size = file.len().to_string();
        let mut params = vec![("Name", name), ("SizeBytes", &*size)];
        params.extend(format.map(|format| ("Format", format)));
        let (id, link) = self.import(&params).await;
        assert_eq!(self.append(&link, 0, file).await, (204, Some(file.len())));
        assert_eq!(self.complete(&link, file.len(), &hash(file)).await.status(), 204);
        id
    }

    async fn disk(&self, id: &str) -> Vec<u8> {
        self.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", id)]).await.body.to_vec()
    }
}

fn status_and_offset(response: &Response) -> (u16, Option<usize>) {
    let offset = response.headers().get("upload-offset");
    (response.status().as_u16(), offset.map(|offset| offset.to_str().unwrap().parse().unwrap()))
}

impl Service {
    /// Starts the workers, waits for one run of upload expiry, and stops them.
    async fn expire_uploads(&self) {
        // Files that belong to no upload are removed at the end of the run.
        let orphan = self.folder.path().join("data/uploads/compshareImage-1lost");
        std::fs::write(&orphan, "orphan").unwrap();
        let workers = self.start_workers().await;
        wait_until("an upload expiry run ends", async || !orphan.exists()).await;
        workers.stop().await;
    }

    fn upload_files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("data/uploads")).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_fully_uploaded_file_becomes_an_image() {
    let service = Service::start().await;
    service.context.set_base_url("https://images.example.com/jingku");
    let (caller, disk) = (service.caller(), disk_bytes(7));
    let size = disk.len().to_string();
    let asked = [("Name", "env"), ("SizeBytes", &*size), ("Description", "CUDA"), ("Zone", "cn-sh2-02")];
    let reply = caller.ok(IMPORT, &asked).await;
    assert_eq!(reply["ExpireTime"], NOW + 3600);
    assert!(
        reply["Url"].as_str().unwrap().starts_with("https://images.example.com/jingku/uploads/"),
        "{reply}"
    );
    let (id, link) = caller.import(&asked).await;
    assert_eq!(reply["CompShareImageId"], id, "a repeated call returned another image");
    let image = caller.image(&id).await;
    let facts = ["Status", "Description", "Zone"].map(|fact| image[fact].as_str().unwrap());
    assert_eq!(facts, ["Making", "CUDA", "cn-sh2-02"]);

    assert_eq!(caller.upload_state(&link).await, (0, hash(b"")));
    let half = 1_000_001;
    assert_eq!(caller.append(&link, 0, &disk[..half]).await, (204, Some(half)));
    assert_eq!(caller.upload_state(&link).await, (half, hash(&disk[..half])));
    let progress = caller.progress(&id).await;
    let bytes = ["ProcessedBytes", "TotalBytes"].map(|name| progress[name].as_u64().unwrap());
    assert_eq!((&progress["Status"], bytes), (&"Making".into(), [half as u64, disk.len() as u64]));
    // Wrong offsets and an early completion are refused.
    for at in [0, half - 1, half + 1] {
        assert_eq!(caller.append(&link, at, b"x").await, (409, Some(half)));
    }
    assert_eq!(
        status_and_offset(&caller.complete(&link, half, &hash(&disk[..half])).await),
        (409, Some(half))
    );
    assert_eq!(caller.append(&link, half, &disk[half..]).await, (204, Some(disk.len())));
    assert_eq!(
        status_and_offset(&caller.complete(&link, disk.len(), &hash(&disk)).await),
        (204, Some(disk.len()))
    );
    // A repeated completion succeeds. Another hash is refused.
    assert_eq!(
        status_and_offset(&caller.complete(&link, disk.len(), &hash(&disk)).await),
        (204, Some(disk.len()))
    );
    assert_eq!(
        status_and_offset(&caller.complete(&link, disk.len(), &hash(b"")).await),
        (409, Some(disk.len()))
    );
    assert_eq!(caller.append(&link, disk.len(), b"x").await, (409, Some(disk.len())));
    assert_eq!(caller.upload_state(&link).await, (disk.len(), hash(&disk)));

    service.finish_job(&id).await;
    assert_eq!(caller.image(&id).await["Status"], "Available");
    assert!(caller.disk(&id).await == disk, "the bytes differ");
    assert!(service.upload_files().is_empty(), "{:?}", service.upload_files());
    caller.assert_upload_refused(&link, 404, 8039).await;
    // A client that lost the response completes again, possibly after the job has ended.
    assert_eq!(
        status_and_offset(&caller.complete(&link, disk.len(), &hash(&disk)).await),
        (204, Some(disk.len()))
    );
    assert_eq!(caller.complete(&link, disk.len(), &hash(b"")).await.status(), 404);
    assert_eq!(caller.complete(&link, half, &hash(&disk)).await.status(), 404);
    // A second upload of the same file adds no chunks.
    let (chunks, again) = (service.stored("chunks").len(), caller.upload("again", &disk).await);
    service.finish_job(&again).await;
    assert_eq!(
        (service.stored("chunks").len(), &caller.image(&again).await["Status"]),
        (chunks, &"Available".into())
    );
}

#[tokio::test]
async fn invalid_imports_are_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", 1)]).await;
    let refusal = async |params: &[(&str, &str)]| caller.refusal(IMPORT, params).await;
    let bad = |name: &str| (230, format!("Params [{name}] not available"));
    assert_eq!(refusal(&[]).await, (210, "Missing params [Name]".to_owned()));
    assert_eq!(refusal(&[("Name", "a b")]).await, bad("Name"));
    for size in ["0", "-1", "1.5", "x"] {
        assert_eq!(refusal(&[("Name", "env"), ("SizeBytes", size)]).await, bad("SizeBytes"));
    }
    for blake3 in ["x", &"A".repeat(64), &"a".repeat(63)] {
        assert_eq!(refusal(&[("Name", "env"), ("Blake3", blake3)]).await, bad("Blake3"));
    }
    for format in ["vmdk", "RAW", "raw "] {
        assert_eq!(refusal(&[("Name", "env"), ("Format", format)]).await, bad("Format"));
    }
    assert_eq!(refusal(&[("Name", "env"), ("Zone", "moon")]).await, bad("Zone"));
    assert_eq!(refusal(&[("Name", "env"), ("Description", &"x".repeat(1001))]).await, bad("Description"));
    let size = ((1000_i64 << 30) + 1).to_string();
    let (code, text) = refusal(&[("Name", "env"), ("SizeBytes", &size)]).await;
    assert_eq!((code, &*text), (8095, "The file is larger than an image may be, 1000 GB"));
    assert_eq!(refusal(&[("Name", "image-1")]).await, bad("Name"));
    let size = (900_i64 << 30).to_string();
    let (code, text) = refusal(&[("Name", "env"), ("SizeBytes", &size)]).await;
    assert_eq!(code, 8095);
    assert_eq!(
        text,
        "An import of this file may need 1843200 MB, and the image store has no room for it; ask the operator"
    );
    // Holes need no disk space. The data cannot exceed the file size.
    for data in ["-1", "x", "966367641601"] {
        let asked = [("Name", "env"), ("SizeBytes", &*size), ("DataBytes", data)];
        assert_eq!(refusal(&asked).await, bad("DataBytes"), "{data}");
    }
    assert_eq!(refusal(&[("Name", "env"), ("DataBytes", "1")]).await, bad("DataBytes"));
    assert_eq!(caller.images(&[]).await.len(), 1, "a refused import left an image");

    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for number in 0..MAX_ACCOUNT_UPLOADS {
            ids.push(caller.import(&[("Name", &format!("env-{number}"))]).await.0);
        }
        ids
    };
    let (code, text) = refusal(&[("Name", "env")]).await;
    assert!(code == 8095 && text.contains("16 unfinished uploads"), "{code} {text}");
    // A resumed upload does not count again, and a deleted one does not count.
    caller.import(&[("Name", "env-3")]).await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &ids[0])]).await;
    caller.import(&[("Name", "env")]).await;
}

#[tokio::test]
async fn the_same_name_and_size_resume_the_upload() {
    let service = Service::start().await;
    let caller = service.caller();
    let (a, b) = (hash(b"a"), hash(b"b"));
    let asked = [("Name", "env"), ("SizeBytes", "9"), ("Blake3", &*a)];
    let (id, _) = caller.import(&asked).await;
    assert_eq!(caller.import(&asked).await.0, id);
    assert_eq!(caller.import(&asked[..2]).await.0, id);
    let taken = (230, "Params [Name] not available".to_owned());
    for other in [
        &[("Name", "env")][..],
        &[("Name", "env"), ("SizeBytes", "8")],
        &[asked[0], asked[1], ("Blake3", &b)],
        &[asked[0], asked[1], ("Format", "raw")],
    ] {
        assert_eq!(caller.refusal(IMPORT, other).await, taken, "{other:?}");
    }
    // An upload reserves its name within its account only.
    let create = [("UHostId", INSTANCE), ("Name", "env")];
    assert_eq!(caller.refusal(Action::CreateCompShareCustomImage, &create).await.0, 230);
    let (_, stranger) = service.stranger().await;
    assert_ne!(stranger.import(&asked).await.0, id);
}

#[tokio::test]
async fn a_link_is_valid_for_one_image_and_one_hour() {
    let service = Service::start().await;
    let caller = service.caller();
    let (id, link) = caller.import(&[("Name", "env")]).await;
    let (account, stranger) = service.stranger().await;
    let (_, other) = stranger.import(&[("Name", "env")]).await;
    // Another account's link with this image id counts as forged.
    let forged = other.replace(other.split(['/', '?']).nth(2).unwrap(), &id);
    for link in [forged, link.replace("account=1", &format!("account={account}")), format!("/uploads/{id}")] {
        caller.assert_upload_refused(&link, 403, 171).await;
    }
    let response = caller.upload_request(Method::GET, &link, &[], Body::empty()).await;
    assert_eq!(response.status(), 405);
    assert_eq!(caller.append(&link, 0, b"bytes").await, (204, Some(5)));
    service.clock.set(NOW + 3600);
    caller.assert_upload_refused(&link, 403, 171).await;
    let (same, renewed) = caller.import(&[("Name", "env")]).await;
    assert_eq!((same, caller.upload_state(&renewed).await), (id.clone(), (5, hash(b"bytes"))));

    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    caller.assert_upload_refused(&renewed, 404, 8039).await;
    assert!(!service.upload_files().contains(&id));
    assert_ne!(caller.import(&[("Name", "env")]).await.0, id);
}

#[tokio::test]
async fn missing_and_invalid_headers_are_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env")]).await;
    let refusal = async |method: Method, headers: &[(&str, &str)]| {
        let response = caller.upload_request(method, &link, headers, Body::from("x")).await;
        assert_eq!(response.status(), 400);
        Reply::read(response).await.refusal()
    };
    let (missing, bad) = (
        |name: &str| (210, format!("Missing params [{name}]")),
        |name: &str| (230, format!("Params [{name}] not available")),
    );
    assert_eq!(refusal(Method::PATCH, &[]).await, missing("Upload-Offset"));
    assert_eq!(refusal(Method::PATCH, &[("upload-offset", "-1")]).await, bad("Upload-Offset"));
    assert_eq!(refusal(Method::POST, &[]).await, missing("Upload-Length"));
    assert_eq!(refusal(Method::POST, &[("upload-length", "0")]).await, missing("Upload-Blake3"));
    assert_eq!(
        refusal(Method::POST, &[("upload-length", "0"), ("upload-blake3", "x")]).await,
        bad("Upload-Blake3")
    );
    // An empty file is refused.
    assert_eq!(status_and_offset(&caller.complete(&link, 0, &hash(b"")).await), (409, Some(0)));
}

#[tokio::test]
async fn bytes_beyond_the_declared_size_are_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env"), ("SizeBytes", "10")]).await;
    assert_eq!(caller.append(&link, 0, b"01234567890").await.0, 413);
    assert_eq!(caller.upload_state(&link).await.0, 0);
    // A body without Content-Length.
    let pieces = ["01234", "567890"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let body = Body::from_stream(futures::stream::iter(pieces));
    let response = caller.upload_request(Method::PATCH, &link, &[("upload-offset", "0")], body).await;
    assert_eq!(response.status(), 413);
    assert_eq!(caller.upload_state(&link).await, (10, hash(b"0123456789")));
}

#[tokio::test]
async fn zeros_can_be_declared_instead_of_sent() {
    let service = Service::start().await;
    let caller = service.caller();
    let size = 5 + (3 << 20);
    let (id, link) = caller.import(&[("Name", "env"), ("SizeBytes", &size.to_string())]).await;
    let zeros = async |at: usize, count: &str| {
        let at = at.to_string();
        let headers = [("upload-offset", &*at), ("upload-zeros", count)];
        status_and_offset(&caller.upload_request(Method::PATCH, &link, &headers, Body::empty()).await)
    };
    assert_eq!(zeros(0, "1000").await, (204, Some(1000)));
    assert_eq!(zeros(0, "1000").await, (409, Some(1000)));
    assert_eq!(zeros(1000, "3145734").await.0, 413);
    for wrong in ["x", "-1", "1073741825"] {
        assert_eq!(zeros(1000, wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(caller.append(&link, 1000, b"bytes").await, (204, Some(1005)));
    assert_eq!(zeros(1005, "3144728").await, (204, Some(size)));
    let mut disk = vec![0; size];
    disk[1000..1005].copy_from_slice(b"bytes");
    assert_eq!(caller.upload_state(&link).await, (size, hash(&disk)));
    assert_eq!(caller.complete(&link, size, &hash(&disk)).await.status(), 204);
    service.finish_job(&id).await;
    assert!(caller.disk(&id).await == disk);
}

fn reason(image: &Value) -> &str {
    image["FailedReason"].as_str().unwrap()
}
