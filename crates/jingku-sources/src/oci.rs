//! Images as the OCI image specification describes them.
//!
//! An image of a container is one layer: the archive of its files, not compressed. The layer's digest is therefore also
//! the digest of its content, and the store's chunks are served as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The media type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a configuration.
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a layer that is not compressed.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// How the program of a container is run. Other members of a configuration are dropped: an engine sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    /// The user, as `USER[:GROUP]`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_default")]
    pub user: String,
    /// Ports that the program listens on, such as `8888/tcp`.
    #[serde(with = "keys", skip_serializing_if = "BTreeSet::is_empty")]
    pub exposed_ports: BTreeSet<String>,
    /// Environment variables, as `NAME=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// The program and its first arguments.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// Further arguments, or the program if there is no entry point.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// Directories that hold data.
    #[serde(with = "keys", skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    /// The directory in which the program starts.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_default")]
    pub working_dir: String,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the program to end.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_default")]
    pub stop_signal: String,
    /// How an engine checks its health: an addition of Docker, which Podman knows too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<serde_json::Value>,
}

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
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `null` as the default: Go writes it for what is empty.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A set, written as an object with empty values.
mod keys {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::de::IgnoredAny;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(set: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(set.iter().map(|key| (key, serde_json::Map::new())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
        let map = Option::<BTreeMap<String, IgnoredAny>>::deserialize(deserializer)?;
        Ok(map.unwrap_or_default().into_keys().collect())
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
    fn a_configuration_survives_what_engines_write() {
        let text = r#"{"Hostname":"x","User":"","Env":["A=b"],"Cmd":null,"Entrypoint":["/bin/sh"],
                       "ExposedPorts":{"80/tcp":{}},"Volumes":null,"Labels":null,"Healthcheck":null}"#;
        let run: RunConfig = serde_json::from_str(text).unwrap();
        assert_eq!((&run.entrypoint[..], run.exposed_ports.len()), (&["/bin/sh".to_owned()][..], 1));
        assert_eq!(
            serde_json::to_string(&run).unwrap(),
            r#"{"ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["/bin/sh"]}"#
        );
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
