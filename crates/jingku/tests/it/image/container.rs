//! Images of containers without an engine: imported, shown, exported.

use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use crate::disk;
use crate::home::Home;
use crate::server::Server;

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

/// What `docker save` writes of an image whose only layer has these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let layer = tar(files);
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/bin/sh"] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let manifest = br#"[{ "Config": "config.json", "RepoTags": [], "Layers": ["layer.tar"] }]"#;
    tar(&[("manifest.json", manifest), ("config.json", config.to_string().as_bytes()), ("layer.tar", &layer)])
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

const FILES: &[(&str, &[u8])] = &[
    ("etc/machine-id", b"0123456789abcdef0123456789abcdef\n"),
    ("root/.ssh/id_rsa", b"key\n"),
    ("work", b"work\n"),
];

/// A server with the image of a container.
fn imported(name: &str) -> (Home, Server, String) {
    let home = Home::new();
    let server = home.serve();
    let file = home.file("image.tar", &archive(FILES));
    let image = home.json(&["image", "import", &file, "--name", name, "--wait"]);
    let id = image["CompShareImageId"].as_str().unwrap().to_owned();
    (home, server, id)
}

#[test]
fn show_prints_the_pull_command_and_what_was_left_out() {
    let (home, server, id) = imported("trained");
    let command = format!("podman pull --tls-verify=false {}/1/trained:latest", server.address());
    for (language, secret) in
        [("en", "root/.ssh/id_rsa (may be a secret)"), ("zh", "root/.ssh/id_rsa（疑似密钥）")]
    {
        let shown = home.run(&["image", "show", &id, "--lang", language]).succeeded().out;
        for text in [&*command, "  etc/machine-id (host_identity)", secret] {
            assert!(shown.contains(text), "{text:?} is not in {shown}");
        }
    }
    let image = home.json(&["image", "show", &id]);
    assert_eq!((&image["Container"], &image["Repository"]), (&"True".into(), &"1/trained".into()));
    assert_eq!(image["LeftOut"]["Paths"][0]["Path"], "etc/machine-id");
    assert_eq!(image["LeftOut"]["SecretCount"], 1);
    // A list has no reports, and a disk has neither.
    home.add_instance("uhost-1", &disk::bytes(2, 0));
    home.make("uhost-1", "disk");
    let list = home.json(&["image", "list"]);
    for row in list["ImageSet"].as_array().unwrap() {
        assert!(row.get("LeftOut").is_none(), "{row}");
        assert_eq!(row.get("Repository").is_some(), row["Name"] == "trained", "{row}");
    }
}

#[test]
fn an_image_that_no_repository_can_be_named_after_is_pulled_by_id() {
    let (home, _server, id) = imported("训练环境");
    let shown = home.run(&["image", "show", &id]).succeeded().out;
    assert!(shown.contains(&format!("/1/{}:latest", id.to_lowercase())), "{shown}");
}

#[test]
fn an_export_in_the_other_kind_of_format_is_refused() {
    let (home, _server, container) = imported("trained");
    home.add_instance("uhost-1", &disk::bytes(2, 0));
    let of_disk = home.make("uhost-1", "disk");
    let export = |id, format| ["image", "export", id, "--format", format, "-o", "out"];
    for format in ["oci", "docker-archive"] {
        let (english, chinese) = ("is the image of a disk. Export it as raw or qcow2.", "是磁盘镜像");
        home.refuses(&export(&of_disk, format), 1, &[&of_disk, english], &[&of_disk, chinese]);
    }
    let (english, chinese) =
        ("is the image of a container. Export it as oci or docker-archive.", "是容器镜像");
    home.refuses(&export(&container, "qcow2"), 1, &[&container, english], &[&container, chinese]);
    home.run(&export(&container, "ova")).failed(2, &["ova", "docker-archive"]);
    assert!(!home.path("out").exists(), "a refused export leaves no file");
}

#[test]
fn both_archives_and_the_layer_are_exported_and_imported_again() {
    let (home, _server, id) = imported("trained");
    let layer = home.bytes(&id);
    let names: Vec<_> = tar::Archive::new(&layer[..])
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for format in ["oci", "docker-archive"] {
        let file = format!("{format}.tar");
        let said = home.json(&["image", "export", &id, "--format", format, "-o", &file]);
        let written = home.path(&file).metadata().unwrap().len();
        assert_eq!((&said["Format"], &said["Bytes"]), (&format.into(), &written.into()));
        let streamed =
            home.command(&["image", "export", &id, "--format", format, "-o", "-"]).output().unwrap();
        assert!(streamed.stdout == std::fs::read(home.path(&file)).unwrap(), "{format} to standard output");
        let again = home.json(&["image", "import", &file, "--name", &format!("from-{format}"), "--wait"]);
        assert!(home.bytes(again["CompShareImageId"].as_str().unwrap()) == layer, "{format}");
    }
}
