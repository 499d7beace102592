//! The archive of an image: what comes before and after its layer.

use serde_json::{Value, json};
use tar::Header;

use super::image::{Layer, digest};

/// The size that parts of an archive are padded to.
const BLOCK: usize = 512;

/// An archive of an image without its layer.
#[derive(Debug, Default)]
pub struct Frame {
    /// What comes before the layer.
    pub before: Vec<u8>,
    /// What comes after it.
    pub after: Vec<u8>,
}

impl Frame {
    /// The OCI layout of an image in an archive. `name` is the name that an engine gives the image when it loads it.
    pub fn oci_archive(manifest: &str, config: &str, layer: &Layer, name: &str) -> Self {
        let (manifest_digest, config_digest) = (digest(manifest.as_bytes()), digest(config.as_bytes()));
        let mut before = Vec::new();
        add(&mut before, "oci-layout", json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes());
        let index = index(name, &manifest_digest, manifest.len());
        add(&mut before, "index.json", index.to_string().as_bytes());
        add(&mut before, &format!("blobs/sha256/{}", digits(&manifest_digest)), manifest.as_bytes());
        add(&mut before, &format!("blobs/sha256/{}", digits(&config_digest)), config.as_bytes());
        before.extend_from_slice(&header(&format!("blobs/sha256/{}", digits(&layer.digest)), layer.size));
        Self { before, after: after(layer) }
    }

    /// What `docker save` writes of an image. `name` as for [`Frame::oci_archive`].
    pub fn docker_archive(config: &str, layer: &Layer, name: &str) -> Self {
        let config_name = format!("{}.json", digits(&digest(config.as_bytes())));
        let layer_name = format!("{}.tar", digits(&layer.digest));
        let images = json!([{ "Config": config_name, "RepoTags": [name], "Layers": [layer_name] }]);
        let mut before = Vec::new();
        add(&mut before, "manifest.json", images.to_string().as_bytes());
        add(&mut before, &config_name, config.as_bytes());
        before.extend_from_slice(&header(&layer_name, layer.size));
        Self { before, after: after(layer) }
    }
}

/// The padding of the layer, and the end of the archive.
fn after(layer: &Layer) -> Vec<u8> {
    vec![0; padding(layer.size) + 2 * BLOCK]
}

fn index(name: &str, digest: &str, size: usize) -> Value {
    let manifest = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": size,
        "annotations": { "org.opencontainers.image.ref.name": name },
    });
    json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest] })
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
