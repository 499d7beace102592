//! The action, and what its links take.

mod files;
mod sparse;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use axum::response::Response;
use jingku_library::{Clock, Library, MAX_ACCOUNT_UPLOADS, UPLOAD_START_TIMEOUT};
use jingku_protocol::actions::Action;
use jingku_server::UPLOAD_CHECKPOINT;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::support::{Caller, INSTANCE, NOW, Reply, Service, disk_bytes};

const IMPORT: Action = Action::ImportCompShareCustomImage;
const DAY_SECS: u32 = 86_400;

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl Caller {
    /// Asks for a link, and tells the image and the link.
    pub(crate) async fn import(&self, params: &[(&str, &str)]) -> (String, String) {
        let reply = self.ok(IMPORT, params).await;
        let url = reply["Url"].as_str().unwrap();
        (
            reply["CompShareImageId"].as_str().unwrap().to_owned(),
            url[url.rfind("/uploads/").unwrap()..].to_owned(),
        )
    }

    async fn to(&self, method: Method, link: &str, headers: &[(&str, &str)], body: Body) -> Response {
        let request = Request::builder().method(method).uri(link);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.open(request.body(body).unwrap()).await
    }

    /// Appends bytes, and tells status and offset.
    pub(crate) async fn append(&self, link: &str, at: usize, bytes: &[u8]) -> (u16, Option<usize>) {
        let (at, length) = (at.to_string(), bytes.len().to_string());
        let headers = [("upload-offset", &*at), ("content-length", &*length)];
        told(&self.to(Method::PATCH, link, &headers, Body::from(bytes.to_vec())).await)
    }

    /// Tells what has come: how much and its hash.
    async fn look(&self, link: &str) -> (usize, String) {
        let response = self.to(Method::HEAD, link, &[], Body::empty()).await;
        assert_eq!(response.status(), 200);
        let hash = response.headers()["upload-blake3"].to_str().unwrap().to_owned();
        (told(&response).1.unwrap(), hash)
    }

    async fn agree(&self, link: &str, length: usize, hash: &str) -> Response {
        let length = length.to_string();
        let headers = [("upload-length", &*length), ("upload-blake3", hash)];
        self.to(Method::POST, link, &headers, Body::empty()).await
    }

    async fn assert_shut(&self, link: &str, status: u16, code: i64) {
        for method in [Method::PATCH, Method::POST, Method::HEAD] {
            let headers = [("upload-offset", "0"), ("upload-length", "1"), ("upload-blake3", "")];
            let response = self.to(method.clone(), link, &headers, Body::empty()).await;
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

    /// Uploads a whole file, and says how the disk in it is to be read.
    async fn upload_as(&self, name: &str, file: &[u8], format: Option<&str>) -> String {
        let size = file.len().to_string();
        let mut params = vec![("Name", name), ("SizeBytes", &*size)];
        params.extend(format.map(|format| ("Format", format)));
        let (id, link) = self.import(&params).await;
        assert_eq!(self.append(&link, 0, file).await, (204, Some(file.len())));
        assert_eq!(self.agree(&link, file.len(), &hash(file)).await.status(), 204);
        id
    }

    async fn disk(&self, id: &str) -> Vec<u8> {
        self.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", id)]).await.body.to_vec()
    }
}

fn told(response: &Response) -> (u16, Option<usize>) {
    let offset = response.headers().get("upload-offset");
    (response.status().as_u16(), offset.map(|offset| offset.to_str().unwrap().parse().unwrap()))
}

impl Service {
    /// Starts the workers, has them look after uploads, and stops them.
    async fn look_after_uploads(&self) {
        // What belongs to no upload goes last.
        let orphan = self.folder.path().join("data/uploads/compshareImage-1lost");
        std::fs::write(&orphan, "orphan").unwrap();
        let workers = self.start_workers().await;
        let looked = async {
            while orphan.exists() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(1), looked)
            .await
            .expect("uploads are looked after");
        workers.stop().await;
    }

    fn spools(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("data/uploads")).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_file_becomes_an_image_when_all_of_it_has_come() {
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
    assert_eq!(reply["CompShareImageId"], id, "asked again, it is another");
    let image = caller.image(&id).await;
    let facts = ["Status", "Description", "Zone"].map(|fact| image[fact].as_str().unwrap());
    assert_eq!(facts, ["Making", "CUDA", "cn-sh2-02"]);

    assert_eq!(caller.look(&link).await, (0, hash(b"")));
    let half = 1_000_001;
    assert_eq!(caller.append(&link, 0, &disk[..half]).await, (204, Some(half)));
    assert_eq!(caller.look(&link).await, (half, hash(&disk[..half])));
    let progress = caller.progress(&id).await;
    let bytes = ["ProcessedBytes", "TotalBytes"].map(|name| progress[name].as_u64().unwrap());
    assert_eq!((&progress["Status"], bytes), (&"Making".into(), [half as u64, disk.len() as u64]));
    // Neither before, nor beyond, nor the end before the end.
    for at in [0, half - 1, half + 1] {
        assert_eq!(caller.append(&link, at, b"x").await, (409, Some(half)));
    }
    assert_eq!(told(&caller.agree(&link, half, &hash(&disk[..half])).await), (409, Some(half)));
    assert_eq!(caller.append(&link, half, &disk[half..]).await, (204, Some(disk.len())));
    assert_eq!(told(&caller.agree(&link, disk.len(), &hash(&disk)).await), (204, Some(disk.len())));
    // Once more is no harm, another hash is.
    assert_eq!(told(&caller.agree(&link, disk.len(), &hash(&disk)).await), (204, Some(disk.len())));
    assert_eq!(told(&caller.agree(&link, disk.len(), &hash(b"")).await), (409, Some(disk.len())));
    assert_eq!(caller.append(&link, disk.len(), b"x").await, (409, Some(disk.len())));
    assert_eq!(caller.look(&link).await, (disk.len(), hash(&disk)));

    service.work_off(&id).await;
    assert_eq!(caller.image(&id).await["Status"], "Available");
    assert!(caller.disk(&id).await == disk, "other bytes");
    assert!(service.spools().is_empty(), "{:?}", service.spools());
    caller.assert_shut(&link, 404, 8039).await;
    // A client whose answer was lost asks once more, and the job may have been quicker.
    assert_eq!(told(&caller.agree(&link, disk.len(), &hash(&disk)).await), (204, Some(disk.len())));
    assert_eq!(caller.agree(&link, disk.len(), &hash(b"")).await.status(), 404);
    assert_eq!(caller.agree(&link, half, &hash(&disk)).await.status(), 404);
    // Uploaded once more it takes no room.
    let (chunks, again) = (service.stored("chunks").len(), caller.upload("again", &disk).await);
    service.work_off(&again).await;
    assert_eq!(
        (service.stored("chunks").len(), &caller.image(&again).await["Status"]),
        (chunks, &"Available".into())
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
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
    // Holes take no room, and there cannot be more data than file.
    for data in ["-1", "x", "966367641601"] {
        let asked = [("Name", "env"), ("SizeBytes", &*size), ("DataBytes", data)];
        assert_eq!(refusal(&asked).await, bad("DataBytes"), "{data}");
    }
    assert_eq!(refusal(&[("Name", "env"), ("DataBytes", "1")]).await, bad("DataBytes"));
    assert_eq!(caller.images(&[]).await.len(), 1, "a refused import left something");

    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for number in 0..MAX_ACCOUNT_UPLOADS {
            ids.push(caller.import(&[("Name", &format!("env-{number}"))]).await.0);
        }
        ids
    };
    let (code, text) = refusal(&[("Name", "env")]).await;
    assert!(code == 8095 && text.contains("16 uploads"), "{code} {text}");
    // One that goes on is none more, and one that is deleted is none.
    caller.import(&[("Name", "env-3")]).await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &ids[0])]).await;
    caller.import(&[("Name", "env")]).await;
}

#[tokio::test]
async fn the_same_name_and_size_is_the_same_upload() {
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
    // It holds its name against everything else, and another account has names of its own.
    let create = [("UHostId", INSTANCE), ("Name", "env")];
    assert_eq!(caller.refusal(Action::CreateCompShareCustomImage, &create).await.0, 230);
    let (_, stranger) = service.stranger().await;
    assert_ne!(stranger.import(&asked).await.0, id);
}

#[tokio::test]
async fn a_link_is_good_for_its_image_and_its_hour() {
    let service = Service::start().await;
    let caller = service.caller();
    let (id, link) = caller.import(&[("Name", "env")]).await;
    let (account, stranger) = service.stranger().await;
    let (_, other) = stranger.import(&[("Name", "env")]).await;
    // A stranger's link made out for this image is as one that is made up.
    let forged = other.replace(other.split(['/', '?']).nth(2).unwrap(), &id);
    for link in [forged, link.replace("account=1", &format!("account={account}")), format!("/uploads/{id}")] {
        caller.assert_shut(&link, 403, 171).await;
    }
    let response = caller.to(Method::GET, &link, &[], Body::empty()).await;
    assert_eq!(response.status(), 405);
    assert_eq!(caller.append(&link, 0, b"bytes").await, (204, Some(5)));
    service.clock.set(NOW + 3600);
    caller.assert_shut(&link, 403, 171).await;
    let (same, renewed) = caller.import(&[("Name", "env")]).await;
    assert_eq!((same, caller.look(&renewed).await), (id.clone(), (5, hash(b"bytes"))));

    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    caller.assert_shut(&renewed, 404, 8039).await;
    assert!(!service.spools().contains(&id));
    assert_ne!(caller.import(&[("Name", "env")]).await.0, id);
}

#[tokio::test]
async fn headers_that_say_nothing_are_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env")]).await;
    let refusal = async |method: Method, headers: &[(&str, &str)]| {
        let response = caller.to(method, &link, headers, Body::from("x")).await;
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
    // Nothing is no file.
    assert_eq!(told(&caller.agree(&link, 0, &hash(b"")).await), (409, Some(0)));
}

#[tokio::test]
async fn no_more_comes_than_was_said() {
    let service = Service::start().await;
    let caller = service.caller();
    let (_, link) = caller.import(&[("Name", "env"), ("SizeBytes", "10")]).await;
    assert_eq!(caller.append(&link, 0, b"01234567890").await.0, 413);
    assert_eq!(caller.look(&link).await.0, 0);
    // A length that is not told beforehand.
    let pieces = ["01234", "567890"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let body = Body::from_stream(futures::stream::iter(pieces));
    let response = caller.to(Method::PATCH, &link, &[("upload-offset", "0")], body).await;
    assert_eq!(response.status(), 413);
    assert_eq!(caller.look(&link).await, (10, hash(b"0123456789")));
}

#[tokio::test]
async fn zeros_need_not_be_sent() {
    let service = Service::start().await;
    let caller = service.caller();
    let size = 5 + (3 << 20);
    let (id, link) = caller.import(&[("Name", "env"), ("SizeBytes", &size.to_string())]).await;
    let zeros = async |at: usize, count: &str| {
        let at = at.to_string();
        let headers = [("upload-offset", &*at), ("upload-zeros", count)];
        told(&caller.to(Method::PATCH, &link, &headers, Body::empty()).await)
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
    assert_eq!(caller.look(&link).await, (size, hash(&disk)));
    assert_eq!(caller.agree(&link, size, &hash(&disk)).await.status(), 204);
    service.work_off(&id).await;
    assert!(caller.disk(&id).await == disk);
}

/// A body that comes when the test says so.
fn slow() -> (mpsc::Sender<Result<Bytes, std::io::Error>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let stream =
        futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    (sender, Body::from_stream(stream))
}

#[tokio::test]
async fn one_at_a_time_and_what_came_stays() {
    let service = Service::start().await;
    let caller = service.caller();
    let (id, link) = caller.import(&[("Name", "env")]).await;
    let (sender, body) = slow();
    let first = {
        let (caller, link) = (caller.clone(), link.clone());
        tokio::spawn(async move { caller.to(Method::PATCH, &link, &[("upload-offset", "0")], body).await })
    };
    sender.send(Ok(Bytes::from("first"))).await.unwrap();
    // It is at it for certain when a second piece was taken.
    sender.send(Ok(Bytes::from(" half"))).await.unwrap();
    let second = caller.to(Method::PATCH, &link, &[("upload-offset", "0")], Body::from("other")).await;
    assert_eq!(second.status(), 409);
    assert_eq!(Reply::read(second).await.refusal().0, 153);
    let looked = caller.to(Method::HEAD, &link, &[], Body::empty()).await;
    assert_eq!((told(&looked), looked.headers().get("upload-blake3")), ((200, Some(0)), None));
    // The connection breaks.
    sender.send(Err(std::io::ErrorKind::ConnectionReset.into())).await.unwrap();
    assert_eq!(first.await.unwrap().status(), 408);
    assert_eq!(caller.look(&link).await, (10, hash(b"first half")));

    // Deleted in the middle.
    let (sender, body) = slow();
    let third = {
        let (caller, link) = (caller.clone(), link.clone());
        tokio::spawn(async move { caller.to(Method::PATCH, &link, &[("upload-offset", "10")], body).await })
    };
    sender.send(Ok(Bytes::from("x"))).await.unwrap();
    sender.send(Ok(Bytes::from("y"))).await.unwrap();
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    drop(sender);
    assert_eq!(third.await.unwrap().status(), 404);
    assert!(service.spools().is_empty());
}

/// Whoever looks meanwhile, with whatever it knew before, takes nothing away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_stays_whoever_looks() {
    let service = Service::start().await;
    let (caller, disk) = (service.caller(), disk_bytes(5));
    let (id, link) = caller.import(&[("Name", "env"), ("SizeBytes", &disk.len().to_string())]).await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let lookers: Vec<_> = (0..4)
        .map(|_| {
            let (caller, link, done) = (caller.clone(), link.clone(), std::sync::Arc::clone(&done));
            tokio::spawn(async move {
                let mut seen = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = told(&caller.to(Method::HEAD, &link, &[], Body::empty()).await).1.unwrap();
                    assert!(now >= seen, "{seen} bytes had come, and now {now}");
                    seen = now;
                }
            })
        })
        .collect();
    let mut at = 0;
    while at < disk.len() {
        let to = (at + 70_001).min(disk.len());
        match caller.append(&link, at, &disk[at..to]).await {
            (204, Some(now)) => at = now,
            // Somebody looks.
            (status, offset) => {
                assert!(status == 409 && offset.is_none_or(|now| now == at), "{status} {offset:?}");
            }
        }
    }
    while caller.agree(&link, disk.len(), &hash(&disk)).await.status() != 204 {}
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for looker in lookers {
        looker.await.unwrap();
    }
    service.work_off(&id).await;
    assert!(caller.disk(&id).await == disk);
}

#[tokio::test]
async fn another_hash_ends_it() {
    let service = Service::start().await;
    let caller = service.caller();
    let declared = hash(b"declared");
    for (name, known, agreed) in [
        ("a", None, hash(b"other")),
        ("b", Some(&declared), hash(b"bytes")),
        ("c", Some(&declared), declared.clone()),
    ] {
        let asked = [("Name", name), ("Blake3", known.map_or("", String::as_str))];
        let (id, link) = caller.import(&asked).await;
        caller.append(&link, 0, b"bytes").await;
        let response = caller.agree(&link, 5, &agreed).await;
        assert_eq!(response.status(), 422);
        assert_eq!(Reply::read(response).await.refusal().0, 230);
        let image = caller.image(&id).await;
        let reason = "The file that arrived is not the one that was sent. Import it again.";
        assert_eq!((&image["Status"], &image["FailedReason"]), (&"UnAvailable".into(), &reason.into()));
        caller.assert_shut(&link, 404, 8039).await;
        assert!(service.spools().is_empty());
        assert_ne!(caller.import(&asked).await.0, id, "its name is free");
        assert_eq!(caller.progress(&id).await["Status"], "Failed");
    }
}

#[tokio::test]
async fn another_process_goes_on_with_what_was_acknowledged() {
    let service = Service::start().await;
    let (id, link) = service.caller().import(&[("Name", "env"), ("SizeBytes", "9")]).await;
    assert_eq!(service.caller().append(&link, 0, b"12345").await.0, 204);
    let spool = service.folder.path().join("data/uploads").join(&id);
    for (left, offset) in [("12345 and what was lost", 5), ("123", 3)] {
        std::fs::write(&spool, left).unwrap();
        let caller = service.reopen().await.caller();
        assert_eq!(caller.look(&link).await, (offset, hash(&left.as_bytes()[..offset])));
    }
    std::fs::remove_file(&spool).unwrap();
    let caller = service.reopen().await.caller();
    assert_eq!(caller.append(&link, 0, b"123456789").await, (204, Some(9)));
    assert_eq!(caller.agree(&link, 9, &hash(b"123456789")).await.status(), 204);
    // Gone between the end and the making.
    std::fs::remove_file(&spool).unwrap();
    service.work_off(&id).await;
    let image = caller.image(&id).await;
    assert!(image["FailedReason"].as_str().unwrap().contains("Import it again"), "{image}");
}

#[tokio::test]
async fn a_day_of_silence_ends_it() {
    let service = Service::start().await;
    let caller = service.caller();
    let (silent, link) = caller.import(&[("Name", "silent")]).await;
    caller.append(&link, 0, b"bytes").await;
    service.context.trusted_now();
    service.clock.pass(10);
    let (alive, link) = caller.import(&[("Name", "alive")]).await;
    caller.append(&link, 0, b"bytes").await;
    let uploads = service.folder.path().join("data/uploads");
    std::fs::write(uploads.join("compshareImage-1orphan.unpacked"), "orphan").unwrap();
    // A jump of the clock is no silence.
    service.clock.set(NOW + 400 * i64::from(DAY_SECS));
    service.look_after_uploads().await;
    assert_eq!(caller.image(&silent).await["Status"], "Making");
    service.clock.set(NOW + 10);
    service.clock.pass(DAY_SECS - 9);
    service.work_off(&silent).await;
    let status = async |id: &str| caller.image(id).await["Status"].as_str().unwrap().to_owned();
    assert_eq!(
        (status(&silent).await, status(&alive).await),
        ("UnAvailable".to_owned(), "Making".to_owned())
    );
    let reason = caller.image(&silent).await["FailedReason"].clone();
    assert_eq!(reason, "Nothing more of the file came for 24 hours. Import it again.");
    assert_eq!(service.spools(), [alive]);
}

/// Nothing has come: it holds its name and a place for minutes only. What comes slowly is left alone.
#[tokio::test]
async fn an_upload_without_a_byte_is_forgotten_after_minutes() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(IMPORT, &[("Name", "slow")]).await;
    assert_eq!(reply["Resumed"], false);
    assert_eq!(caller.ok(IMPORT, &[("Name", "slow")]).await["Resumed"], true);
    let (slow_id, slow_link) = caller.import(&[("Name", "slow")]).await;
    let (begun, link) = caller.import(&[("Name", "begun")]).await;
    caller.append(&link, 0, b"bytes").await;
    let mut empty = Vec::new();
    for number in 2..MAX_ACCOUNT_UPLOADS {
        empty.push(caller.import(&[("Name", &format!("env-{number}"))]).await.0);
    }
    assert_eq!(caller.refusal(IMPORT, &[("Name", "more")]).await.0, 8095);
    let (sender, body) = slow();
    let receiving = {
        let (caller, link) = (caller.clone(), slow_link.clone());
        tokio::spawn(async move { caller.to(Method::PATCH, &link, &[("upload-offset", "0")], body).await })
    };
    sender.send(Ok(Bytes::from("a"))).await.unwrap();
    sender.send(Ok(Bytes::from("b"))).await.unwrap();

    service.clock.set(NOW + 60);
    // Its client asks again.
    let (waiting, _) = caller.import(&[("Name", "env-2")]).await;
    assert_eq!(waiting, empty.remove(0));
    service.clock.set(NOW + UPLOAD_START_TIMEOUT.as_secs().cast_signed() + 1);
    service.work_off(&empty[0]).await;
    for id in &empty {
        let image = caller.image(id).await;
        let facts = (&image["Status"], &image["FailedReason"]);
        let reason = "No byte of the file came within 10 minutes. Import it again.";
        assert_eq!(facts, (&"UnAvailable".into(), &reason.into()));
    }
    for id in [&slow_id, &begun, &waiting] {
        assert_eq!(caller.image(id).await["Status"], "Making", "{id}");
    }
    // The name and the places are free.
    assert!(!empty.contains(&caller.import(&[("Name", "env-3")]).await.0));
    // What comes slowly is recorded while it comes, and so is not taken for none.
    let mut whole = b"ab".to_vec();
    while told(&caller.to(Method::HEAD, &slow_link, &[], Body::empty()).await).1 == Some(0) {
        service.clock.set(service.clock.now() + UPLOAD_CHECKPOINT.as_secs().cast_signed());
        sender.send(Ok(Bytes::from("c"))).await.unwrap();
        whole.push(b'c');
    }
    drop(sender);
    assert_eq!(receiving.await.unwrap().status(), 204);
    assert_eq!(caller.look(&slow_link).await, (whole.len(), hash(&whole)));
}

/// What a memory-only server does.
#[tokio::test]
async fn without_a_data_folder_it_lies_in_the_systems_folder() {
    let environment = jingku_library::Environment::default();
    let library = Library::open_in_memory(&jingku_library::Config::default(), &environment).await;
    let context = std::sync::Arc::new(jingku_server::Context::new(library.unwrap()));
    let (_, keys) = context.create_account("lab").await.unwrap();
    let caller = Caller::with_keys(jingku_server::router(context.clone()), &keys);
    let disk = disk_bytes(1);
    let id = caller.upload("env", &disk).await;
    let workers = jingku_library::Workers::start(context.library().clone()).await.unwrap();
    caller.wait_while_making(&id).await;
    workers.stop().await;
    assert!(caller.disk(&id).await == disk);
}

fn reason(image: &Value) -> &str {
    image["FailedReason"].as_str().unwrap()
}
