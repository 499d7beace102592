//! The archive of a container image: what comes before and after its layer.

use std::time::Duration;

use compshare::Image;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::Header;

use crate::args::ExportFormat;
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// The size that parts of an archive are padded to.
const BLOCK: usize = 512;
/// How long the server may take to send a document, which has some kilobytes.
const DOCUMENT_TIMEOUT: Duration = Duration::from_mins(1);
/// The tag of every image.
const TAG: &str = "latest";

/// An archive without its layer.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
}

impl Frame {
    /// The archive of an image in one of the two formats.
    pub(super) async fn of(
        connection: &Connection<'_>,
        image: &Image,
        format: ExportFormat,
    ) -> Result<Self, Failure> {
        let text = fetch(connection, image, &format!("manifests/{TAG}")).await?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(Failure::fault)?;
        let [layer] = &manifest.layers[..] else {
            return Err(Failure::fault("the manifest has several layers"));
        };
        let config = fetch(connection, image, &format!("blobs/{}", manifest.config.digest)).await?;
        let config_digest = digits(&manifest.config.digest);
        let mut before = Vec::new();
        if format == ExportFormat::Oci {
            let digest = sha256(text.as_bytes());
            add(&mut before, "oci-layout", json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes());
            add(&mut before, "index.json", index(image, &digest, text.len()).to_string().as_bytes());
            add(&mut before, &format!("blobs/sha256/{}", digits(&digest)), text.as_bytes());
            add(&mut before, &format!("blobs/sha256/{config_digest}"), config.as_bytes());
            before.extend_from_slice(&header(&format!("blobs/sha256/{}", digits(&layer.digest)), layer.size));
        } else {
            let (config_name, layer_name) =
                (format!("{config_digest}.json"), format!("{}.tar", digits(&layer.digest)));
            let images =
                json!([{ "Config": config_name, "RepoTags": [tagged(image)], "Layers": [layer_name] }]);
            add(&mut before, "manifest.json", images.to_string().as_bytes());
            add(&mut before, &config_name, config.as_bytes());
            before.extend_from_slice(&header(&layer_name, layer.size));
        }
        let mut after = vec![0; padding(layer.size)];
        after.extend([0; 2 * BLOCK]);
        Ok(Self { before, after })
    }
}

/// Reads a document of the image from the registry that the server is.
async fn fetch(connection: &Connection<'_>, image: &Image, what: &str) -> Result<String, Failure> {
    let url = format!("{}/v2/{}/{what}", connection.base_url.trim_end_matches('/'), image.repository);
    let client = reqwest::Client::new();
    let request = client.get(url).basic_auth(&connection.public_key, Some(&connection.private_key));
    let request = request.timeout(DOCUMENT_TIMEOUT);
    let response = request.send().await.and_then(reqwest::Response::error_for_status).map_err(unreadable)?;
    response.text().await.map_err(unreadable)
}

fn unreadable(error: reqwest::Error) -> Failure {
    Failure::new(Exit::Fault, tr!("image-export-documents", error = error.without_url().to_string()))
}

fn index(image: &Image, digest: &str, size: usize) -> Value {
    let manifest = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": size,
        "annotations": { "org.opencontainers.image.ref.name": tagged(image) },
    });
    json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest] })
}

/// The name that an engine gives the image when it loads the archive.
fn tagged(image: &Image) -> String {
    let name = image.repository.rsplit('/').next().unwrap_or_default();
    format!("localhost/{name}:{TAG}")
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn digits(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

fn add(archive: &mut Vec<u8>, name: &str, content: &[u8]) {
    archive.extend_from_slice(&header(name, content.len() as u64));
    archive.extend_from_slice(content);
    archive.resize(archive.len() + padding(content.len() as u64), 0);
}

fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut header = Header::new_ustar();
    header.set_path(name).expect("the names of an archive are short");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    *header.as_bytes()
}

fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(BLOCK as u64) - size).expect("less than a block")
}
