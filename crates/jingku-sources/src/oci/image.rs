//! The documents of an image.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::run_config::RunConfig;

/// The media type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a configuration.
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a layer that is not compressed.
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layer: the archive of a container's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its digest, as `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

/// An image: the layer and the two documents that describe it, byte by byte as they are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OciImage {
    /// Its layer.
    pub layer: Layer,
    /// Its configuration.
    pub config: String,
    /// Its manifest.
    pub manifest: String,
}

impl OciImage {
    /// Describes an image of one layer, created at this time.
    pub fn new(layer: Layer, run: &RunConfig, created: &str) -> Self {
        let config = json!({
            "created": created,
            "architecture": architecture(),
            "os": "linux",
            "config": run,
            "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
            "history": [{ "created": created, "created_by": "jingku" }],
        });
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": CONFIG_TYPE, "digest": digest(config.as_bytes()), "size": config.len() },
            "layers": [{ "mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size }],
        });
        Self { layer, manifest: manifest.to_string(), config }
    }

    /// The digest of its manifest, which names the image.
    pub fn digest(&self) -> String {
        digest(self.manifest.as_bytes())
    }

    /// The digest of its configuration.
    pub fn config_digest(&self) -> String {
        digest(self.config.as_bytes())
    }
}

/// The digest of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Passes a layer on and computes its digest.
pub struct LayerReader<R> {
    source: R,
    hasher: Sha256,
    size: u64,
}

impl<R: Read> LayerReader<R> {
    /// Begins to read.
    pub fn new(source: R) -> Self {
        Self { source, hasher: Sha256::new(), size: 0 }
    }

    /// The layer that was read, and the source.
    pub fn finish(self) -> (Layer, R) {
        let digest = format!("sha256:{}", hex::encode(self.hasher.finalize()));
        (Layer { digest, size: self.size }, self.source)
    }
}

impl<R: Read> Read for LayerReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buf)?;
        self.hasher.update(&buf[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// The architecture of this machine, as Go spells it.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_hashed_while_it_is_read() {
        let mut reader = LayerReader::new(&b"abc"[..]);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        let (layer, _) = reader.finish();
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((&*layer.digest, layer.size), (digest, 3));
    }

    #[test]
    fn documents_name_each_other() {
        let layer = Layer { digest: digest(b"layer"), size: 5 };
        let image = OciImage::new(layer.clone(), &RunConfig::default(), "2026-11-27T00:00:00Z");
        let manifest: serde_json::Value = serde_json::from_str(&image.manifest).unwrap();
        assert_eq!(manifest["config"]["digest"], image.config_digest());
        assert_eq!(manifest["config"]["size"], image.config.len());
        assert_eq!(manifest["layers"][0]["digest"], layer.digest);
        let config: serde_json::Value = serde_json::from_str(&image.config).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], layer.digest);
    }
}
