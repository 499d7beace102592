//! Containers without an engine: rows of instances, and images from archives.

use jingku_catalog::{AccountId, NewInstance, PutContainer};
use jingku_sources::oci::digest;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::Service;

/// An archive as `podman save` writes it, of one layer.
pub(crate) struct Archive {
    pub(crate) bytes: Vec<u8>,
}

impl Archive {
    /// With one file, `data`.
    pub(crate) fn of(content: &[u8]) -> Self {
        Self::new(&[("data", content)], &json!({ "Cmd": ["/bin/sh"], "ExposedPorts": { "8888/tcp": {} } }))
    }

    /// With these files and this configuration for running it.
    pub(crate) fn new(files: &[(&str, &[u8])], config: &Value) -> Self {
        let layer = tar(files);
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": config,
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        });
        let config = config.to_string().into_bytes();
        let descriptor =
            |bytes: &[u8]| json!({ "mediaType": "x", "digest": digest(bytes), "size": bytes.len() });
        let manifest =
            json!({ "schemaVersion": 2, "config": descriptor(&config), "layers": [descriptor(&layer)] });
        let manifest = manifest.to_string().into_bytes();
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor(&manifest)] }).to_string();
        let names = [&manifest, &config, &layer].map(|blob| format!("blobs/sha256/{}", &digest(blob)[7..]));
        let bytes = tar(&[
            ("oci-layout", b"{}"),
            ("index.json", index.as_bytes()),
            (&names[0], &manifest),
            (&names[1], &config),
            (&names[2], &layer),
        ]);
        Self { bytes }
    }
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

impl Service {
    /// Imports the image of a container for account 1.
    pub(crate) async fn container_image(&self, name: &str) -> String {
        self.import_container(name, &Archive::of(name.as_bytes())).await
    }

    pub(crate) async fn import_container(&self, name: &str, archive: &Archive) -> String {
        let caller = self.caller();
        let id = caller.upload(name, &archive.bytes).await;
        self.finish_job(&id).await;
        let image = caller.image(&id).await;
        assert_eq!((&image["Status"], &image["Container"]), (&"Available".into(), &"True".into()), "{image}");
        id
    }
}

/// Records a container as the engine would be seen with it.
pub(crate) async fn put_container(service: &Service, account: i64, id: &str, facts: &Value, now: i64) {
    let facts = facts.to_string();
    let new = NewInstance {
        id,
        account: AccountId(account),
        name: "trainer",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: r#"{"container":"abc"}"#,
        size_bytes: 3 << 30,
        gpu_type: "4090",
        container: Some(&facts),
    };
    assert_eq!(service.context.library.catalog.put_container(new, now).await.unwrap(), PutContainer::Added);
}
