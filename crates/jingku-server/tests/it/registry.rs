//! The registry: what engines pull, and what the documents say.

mod access;
mod blobs;
mod hostile;
mod isolation;

use std::str::FromStr;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jingku_protocol::actions::Action;
use jingku_sources::oci::digest;
use oci_spec::distribution::{RepositoryList, TagList};
use oci_spec::image::{Arch, Digest, ImageConfiguration, ImageIndex, ImageManifest, MediaType, Os};
use serde_json::{Value, json};

use crate::support::{Archive, Caller, Service};

/// The image that most tests pull.
const IMAGE: &str = "/v2/1/trained";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the code of an error.
    fn error(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/json");
        let error = &self.json()["errors"][0];
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        (self.status.as_u16(), error["code"].as_str().unwrap().to_owned())
    }

    fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.error(), (status, code.to_owned()));
    }
}

impl Caller {
    /// Pulls with the key pair.
    async fn pull(&self, path: &str) -> Answer {
        self.registry(Method::GET, path, &[("authorization", &self.basic())]).await
    }

    /// Pulls with the key pair and one more header.
    async fn pull_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.registry(Method::GET, path, &[("authorization", &self.basic()), (name, value)]).await
    }

    /// Asks for the headers only.
    async fn head(&self, path: &str) -> Answer {
        self.registry(Method::HEAD, path, &[("authorization", &self.basic())]).await
    }

    /// Sends a request with these headers and no others; checks what all answers have.
    async fn registry(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (head, body) = self.open(request.body(Body::empty()).unwrap()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: head.status, headers: head.headers, body };
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0", "{path}");
        assert_eq!(answer.header("x-ucloud-request-uuid").len(), 36, "{path}");
        answer
    }

    /// The manifest of a repository such as `1/trained`.
    async fn manifest(&self, repository: &str) -> ImageManifest {
        let answer = self.pull(&format!("/v2/{repository}/manifests/latest")).await;
        assert_eq!(answer.status, 200, "{repository}: {:?}", answer.body);
        ImageManifest::from_reader(&answer.body[..]).unwrap()
    }
}

#[tokio::test]
async fn an_image_is_pulled_by_tag_and_by_digest() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller = service.caller();
    let by_tag = caller.pull(&format!("{IMAGE}/manifests/latest")).await;
    assert_eq!(by_tag.status, 200);
    let manifest_digest = digest(&by_tag.body);
    for reference in ["latest", &manifest_digest] {
        let path = format!("{IMAGE}/manifests/{reference}");
        let (whole, head) = (caller.pull(&path).await, caller.head(&path).await);
        assert_eq!((whole.status, &whole.body), (StatusCode::OK, &by_tag.body));
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        for answer in [&whole, &head] {
            assert_eq!(answer.header("docker-content-digest"), manifest_digest);
            assert_eq!(answer.header("content-length"), by_tag.body.len().to_string());
            assert_eq!(answer.header("content-type"), "application/vnd.oci.image.manifest.v1+json");
            assert_eq!(answer.header("cache-control"), "private, no-store");
        }
    }
    for reference in ["v1", "Latest", "sha256:", &digest(b"another"), &manifest_digest.to_uppercase()] {
        let path = format!("{IMAGE}/manifests/{reference}");
        caller.pull(&path).await.assert_error(404, "MANIFEST_UNKNOWN");
        assert_eq!(caller.head(&path).await.status, 404);
    }
}

#[tokio::test]
async fn the_documents_have_every_field_of_the_specification() {
    let service = Service::start().await;
    let run = json!({
        "User": "12:34", "ExposedPorts": { "22/tcp": {}, "53/udp": {} }, "Env": ["PATH=/bin", "MODE=train"],
        "Entrypoint": ["/init"], "Cmd": ["run"], "Volumes": { "/data": {} }, "WorkingDir": "/work",
        "Labels": { "a": "b" }, "StopSignal": "SIGINT",
    });
    let id = service.import_container("trained", &Archive::new(&[("data", b"data")], &run)).await;
    let caller = service.caller();
    let manifest = caller.manifest("1/trained").await;
    assert_eq!((manifest.schema_version(), manifest.media_type()), (2, &Some(MediaType::ImageManifest)));
    assert_eq!(manifest.config().media_type(), &MediaType::ImageConfig);
    assert_eq!((manifest.layers().len(), manifest.layers()[0].media_type()), (1, &MediaType::ImageLayer));

    let config = caller.pull(&format!("{IMAGE}/blobs/{}", manifest.config().digest())).await;
    assert_eq!(config.header("content-type"), "application/vnd.oci.image.config.v1+json");
    assert_eq!((config.body.len() as u64, digest(&config.body)), described(manifest.config()));
    let config = ImageConfiguration::from_reader(&config.body[..]).unwrap();
    assert_eq!((config.architecture(), config.os()), (&Arch::Amd64, &Os::Linux));
    assert!(config.created().as_deref().is_some_and(|created| created.starts_with("2024-04-08T08:00:00")));
    assert_eq!(config.rootfs().typ(), "layers");
    let [diff_id] = &config.rootfs().diff_ids()[..] else { panic!("{config:?}") };
    assert_eq!(Digest::from_str(diff_id).unwrap(), *manifest.layers()[0].digest(), "an uncompressed layer");
    let layers = config.history().iter().flatten().filter(|step| step.empty_layer() != Some(true)).count();
    assert_eq!(layers, 1);
    let written = serde_json::to_value(config.config()).unwrap();
    for (field, value) in run.as_object().unwrap() {
        match value.as_object() {
            Some(entries) if field != "Labels" => {
                let names: Vec<&String> = entries.keys().collect();
                let mut found: Vec<String> = serde_json::from_value(names_of(&written[field])).unwrap();
                found.sort();
                assert_eq!(found.iter().collect::<Vec<_>>(), names, "{field}");
            }
            _ => assert_eq!(&written[field], value, "{field}"),
        }
    }

    let layer = caller.pull(&format!("{IMAGE}/blobs/{}", manifest.layers()[0].digest())).await;
    assert_eq!((layer.body.len() as u64, digest(&layer.body)), described(&manifest.layers()[0]));
    let names: Vec<_> = tar::Archive::new(&layer.body[..])
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().into_owned())
        .collect();
    assert_eq!(names, [std::path::Path::new("data")]);
    let image = caller.image(&id).await;
    assert_eq!(image["SoftwarePorts"], json!([{ "Software": "", "Port": 22 }]));
}

/// `oci-spec` reads a set of names as a list; the specification writes an object.
fn names_of(set: &Value) -> Value {
    set.as_object().map_or_else(|| set.clone(), |set| set.keys().cloned().collect())
}

fn described(descriptor: &oci_spec::image::Descriptor) -> (u64, String) {
    (descriptor.size(), descriptor.digest().to_string())
}

#[tokio::test]
async fn tags_are_listed_in_order() {
    let service = Service::approving().await;
    let id = service.container_image("trained").await;
    let caller = service.caller();
    let tags = async |query: &str| {
        let answer = caller.pull(&format!("{IMAGE}/tags/list{query}")).await;
        let list: TagList = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(list.name(), "1/trained");
        list.tags().clone()
    };
    assert_eq!(tags("").await, ["latest"]);
    caller.publish(&id, &[("VersionName", "1.0")]).await;
    assert_eq!(caller.image(&id).await["VersionName"], "1.0");
    assert_eq!(tags("").await, ["1.0", "latest"]);
    assert_eq!(tags("?n=1").await, ["1.0"]);
    assert_eq!(tags("?n=1&last=1.0").await, ["latest"]);
    assert_eq!(tags("?last=latest").await, [""; 0]);
    assert_eq!(tags("?n=0").await, [""; 0]);
    assert_eq!(caller.pull(&format!("{IMAGE}/manifests/1.0")).await.status, 200);
    caller.pull("/v2/1/unknown/tags/list").await.assert_error(404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn referrers_are_an_empty_index() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let answer = service.caller().pull(&format!("{IMAGE}/referrers/{}", digest(b"any"))).await;
    assert_eq!(answer.header("content-type"), "application/vnd.oci.image.index.v1+json");
    let index = ImageIndex::from_reader(&answer.body[..]).unwrap();
    assert_eq!((index.schema_version(), index.media_type()), (2, &Some(MediaType::ImageIndex)));
    assert!(index.manifests().is_empty());
}

#[tokio::test]
async fn the_catalogue_lists_own_repositories_in_pages() {
    let service = Service::start().await;
    let (caller, (_, other)) = (service.caller(), service.stranger().await);
    let mut names = Vec::new();
    for name in ["one", "two", "Three", "four"] {
        let id = service.container_image(name).await;
        names.push((id.clone(), if name == "Three" { id.to_lowercase() } else { name.to_owned() }));
    }
    service.make(crate::support::INSTANCE, "disk").await;
    names.sort();
    let expected: Vec<String> = names.iter().map(|(_, name)| format!("1/{name}")).collect();
    let page = async |caller: &Caller, path: &str| {
        let answer = caller.pull(path).await;
        let list: RepositoryList = serde_json::from_slice(&answer.body).unwrap();
        let next = answer.header("link").strip_prefix('<').map(|link| link.split_once('>').unwrap());
        let next = next.map(|(path, relation)| {
            assert_eq!(relation, "; rel=\"next\"");
            path.to_owned()
        });
        (list.repositories().clone(), next)
    };
    assert_eq!(page(&caller, "/v2/_catalog").await, (expected.clone(), None));
    let (mut all, mut path) = (Vec::new(), Some("/v2/_catalog?n=3".to_owned()));
    while let Some(next) = path {
        let (names, following) = page(&caller, &next).await;
        all.extend(names);
        path = following;
    }
    assert_eq!(all, expected);
    let (first, next) = page(&caller, "/v2/_catalog?n=1").await;
    let (first_id, _) = names.iter().find(|(_, name)| first == [format!("1/{name}")]).unwrap();
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", first_id)]).await;
    let rest = page(&caller, &next.unwrap().replace("n=1", "n=9")).await;
    assert_eq!(rest, (expected[1..].to_vec(), None), "a link leads on when its image is deleted");
    let expected = expected[1..].to_vec();
    assert_eq!(page(&caller, "/v2/_catalog?n=0").await, (Vec::new(), None));
    assert_eq!(page(&caller, "/v2/_catalog?n=4000000000").await.0, expected);
    assert_eq!(page(&other, "/v2/_catalog").await, (Vec::new(), None));
    for repository in &expected {
        caller.manifest(repository).await;
    }
    for query in ["n=-1", "n=x", "n=99999999999999999999", "last=1%2Fmissing", "last=x", "n=1&n=2"] {
        caller.pull(&format!("/v2/_catalog?{query}")).await.assert_error(400, "PAGINATION_NUMBER_INVALID");
    }
}

#[tokio::test]
async fn the_name_of_a_repository_is_shown_with_its_image() {
    let service = Service::start().await;
    let caller = service.caller();
    for name in ["trained", "Trained-Again"] {
        let id = service.container_image(name).await;
        let image = caller.image(&id).await;
        let expected =
            if name == "trained" { "1/trained".to_owned() } else { format!("1/{}", id.to_lowercase()) };
        assert_eq!(image["Repository"], expected);
        caller.manifest(&expected).await;
        caller.manifest(&format!("1/{}", id.to_lowercase())).await;
    }
    let disk = service.make(crate::support::INSTANCE, "disk").await;
    assert_eq!(caller.image(&disk).await["Repository"], Value::Null);
    caller.pull("/v2/1/disk/manifests/latest").await.assert_error(404, "NAME_UNKNOWN");
    let export = [("CompShareImageId", &*disk)];
    assert_eq!(caller.call(Action::ExportCompShareCustomImage, &export).await.status, 200);
}
