//! Archives of images that somebody else made, and what becomes of their layers.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use jingku_sources::oci::{ArchiveError, ImageArchive, digest};
use serde_json::{Value, json};
use tar::{Archive, Builder, EntryType, Header};
use tempfile::TempDir;

/// A layer under construction.
pub(crate) fn layer(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (kind, path, text) in entries {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let content = if kind.is_file() { text.as_bytes() } else { b"" };
        header.set_size(content.len() as u64);
        if !kind.is_file() {
            header.set_link_name_literal(text).unwrap();
        }
        // `append_data` refuses what these tests are about.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, content).unwrap();
    }
    tar.into_inner().unwrap()
}

pub(crate) fn file<'a>(path: &'a str, content: &'a str) -> (EntryType, &'a str, &'a str) {
    (EntryType::Regular, path, content)
}

pub(crate) fn directory(path: &str) -> (EntryType, &str, &str) {
    (EntryType::Directory, path, "")
}

pub(crate) fn link<'a>(path: &'a str, to: &'a str) -> (EntryType, &'a str, &'a str) {
    (EntryType::Link, path, to)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn config(layers: &[Vec<u8>]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    json!({
        "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/bin/sh"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
}

pub(crate) struct Saved {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

/// Writes an archive of these files.
pub(crate) fn save(files: &[(String, Vec<u8>)]) -> Saved {
    let mut tar = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &content[..]).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    std::fs::write(&path, tar.into_inner().unwrap()).unwrap();
    Saved { _folder: folder, path }
}

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", &digest(bytes)[7..]), bytes.to_vec())
}

/// An OCI layout with these documents; `packed` are the layers as they are stored.
pub(crate) fn oci_with(config: &Value, packed: &[Vec<u8>]) -> Saved {
    let config = config.to_string().into_bytes();
    let descriptor = |bytes: &[u8]| json!({ "mediaType": "x", "digest": digest(bytes), "size": bytes.len() });
    let layers: Vec<Value> = packed.iter().map(|layer| descriptor(layer)).collect();
    let manifest = json!({ "schemaVersion": 2, "config": descriptor(&config), "layers": layers })
        .to_string()
        .into_bytes();
    let index = json!({ "schemaVersion": 2, "manifests": [descriptor(&manifest)] }).to_string().into_bytes();
    let mut files = vec![("oci-layout".to_owned(), b"{}".to_vec()), ("index.json".to_owned(), index)];
    files.extend([blob(&config), blob(&manifest)]);
    files.extend(packed.iter().map(|layer| blob(layer)));
    // Equal layers are one blob.
    files.sort();
    files.dedup();
    save(&files)
}

pub(crate) fn oci(layers: &[Vec<u8>]) -> Saved {
    oci_with(&config(layers), layers)
}

fn docker(layers: &[Vec<u8>]) -> Saved {
    let config = config(layers).to_string().into_bytes();
    let name = format!("{}.json", &digest(&config)[7..]);
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = json!([{ "Config": name, "RepoTags": ["a:b"], "Layers": names }]).to_string().into_bytes();
    let mut files = vec![("manifest.json".to_owned(), manifest), (name, config)];
    files.extend(names.into_iter().zip(layers.iter().cloned()));
    save(&files)
}

/// An archive that names its only layer many times.
pub(crate) fn docker_of_equal_layers(layers: &[Vec<u8>]) -> Saved {
    let config = config(layers).to_string().into_bytes();
    let names = vec!["layer.tar"; layers.len()];
    let manifest = json!([{ "Config": "config.json", "Layers": names }]).to_string().into_bytes();
    let files = [("manifest.json", manifest), ("config.json", config), ("layer.tar", layers[0].clone())];
    save(&files.map(|(name, content)| (name.to_owned(), content)))
}

pub(crate) fn open(saved: &Saved) -> ImageArchive {
    ImageArchive::open(&saved.path).unwrap().expect("an archive of an image")
}

/// What one layer of it all has: paths, and contents or targets.
pub(crate) fn flat(saved: &Saved) -> Result<Vec<(String, String)>, String> {
    let mut bytes = Vec::new();
    open(saved).flatten(1 << 30).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let entry = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
        let mut text = String::new();
        match entry.link_name_bytes() {
            Some(link) if !entry.header().entry_type().is_file() => {
                text = String::from_utf8(link.to_vec()).unwrap();
            }
            _ => drop(entry.read_to_string(&mut text).unwrap()),
        }
        (path, text)
    };
    Ok(Archive::new(&bytes[..]).entries().unwrap().map(entry).collect())
}

pub(crate) fn files(saved: &Saved) -> BTreeMap<String, String> {
    flat(saved).unwrap().into_iter().collect()
}

pub(crate) fn refusal(saved: &Saved) -> String {
    match ImageArchive::open(&saved.path) {
        Err(ArchiveError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

#[test]
fn archives_of_both_kinds_are_read() {
    let layers = [layer(&[directory("bin/"), file("bin/sh", "#!"), file("etc", "x")])];
    for saved in [oci(&layers), docker(&layers)] {
        assert_eq!(open(&saved).run.cmd, ["/bin/sh"]);
        assert_eq!(files(&saved), pairs([("bin/", ""), ("bin/sh", "#!"), ("etc", "x")]));
        let mut flat = Vec::new();
        open(&saved).flatten(1 << 20).read_to_end(&mut flat).unwrap();
        assert_eq!(flat, layers[0], "one layer stays as it is");
    }
}

#[test]
fn packed_layers_are_unpacked() {
    let plain = [layer(&[file("a", "a")]), layer(&[file("b", "b")])];
    let packed = [gzip(&plain[0]), zstd::encode_all(&plain[1][..], 1).unwrap()];
    assert_eq!(files(&oci_with(&config(&plain), &packed)), pairs([("a", "a"), ("b", "b")]));
}

#[test]
fn a_higher_layer_hides_what_is_below() {
    let layers = [
        layer(&[
            directory("d/"),
            file("d/kept", "low"),
            file("d/changed", "low"),
            file("d/removed", "low"),
            directory("gone/"),
            file("gone/x", "low"),
            directory("opaque/"),
            file("opaque/x", "low"),
            file("became/x", "low"),
        ]),
        layer(&[
            file("d/changed", "high"),
            file("d/.wh.removed", ""),
            file(".wh.gone", ""),
            directory("opaque/"),
            file("opaque/.wh..wh..opq", ""),
            file("opaque/y", "high"),
            file("became", "a file"),
        ]),
        layer(&[file("d/top", "top")]),
    ];
    assert_eq!(
        files(&oci(&layers)),
        pairs([
            ("became", "a file"),
            ("d/", ""),
            ("d/changed", "high"),
            ("d/kept", "low"),
            ("d/top", "top"),
            ("opaque/", ""),
            ("opaque/y", "high"),
        ])
    );
}

#[test]
fn a_file_that_was_removed_and_made_again_is_kept() {
    let layers = [layer(&[file("a", "first")]), layer(&[file(".wh.a", "")]), layer(&[file("a", "third")])];
    assert_eq!(files(&oci(&layers)), pairs([("a", "third")]));
}

#[test]
fn hard_links_keep_their_content() {
    let layers = [
        layer(&[file("a", "old"), link("b", "a"), link("c", "/a"), file("low", "low")]),
        layer(&[file("a", "new"), link("to-low", "low")]),
    ];
    // `b` takes over the content that `a` had; links that waited come last.
    let found = flat(&oci(&layers)).unwrap();
    let found: Vec<(&str, &str)> = found.iter().map(|(path, text)| (&**path, &**text)).collect();
    assert_eq!(found, [("a", "new"), ("low", "low"), ("b", "old"), ("c", "b"), ("to-low", "low")]);
}

#[test]
fn hostile_paths_are_refused() {
    for (entries, why) in [
        (vec![file("../etc/passwd", "")], "is no path below the root"),
        (vec![file("a/../../b", "")], "is no path below the root"),
        (vec![file("a//b", "")], "is no path below the root"),
        (vec![file("a", ""), link("b", "../a")], "is no path below the root"),
        (vec![(EntryType::Symlink, "a", "/etc"), file("a/passwd", "")], "leads through a file or link"),
        (vec![file("a", "1"), file("a", "2")], "is there twice"),
        (vec![link("a", "a")], "links to itself"),
        (vec![link("a", "b")], "links to nothing"),
        (vec![file(".wh...", "")], "is no path below the root"),
        (vec![(EntryType::new(b'Z'), "a", "")], "is of an unknown kind"),
    ] {
        let error = flat(&oci(&[layer(&entries)])).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn content_that_unpacks_to_too_much_is_refused() {
    let zeros = "0".repeat(1 << 20);
    let plain = [layer(&[file("a", &zeros)])];
    let saved = oci_with(&config(&plain), &[gzip(&plain[0])]);
    let error = io::copy(&mut open(&saved).flatten(1 << 19), &mut io::sink()).unwrap_err();
    assert_eq!(error.to_string(), "it unpacks to more than it may");
}

#[test]
fn a_configuration_that_lies_is_refused() {
    let layers = [layer(&[file("a", "a")])];
    let other = [layer(&[file("a", "b")])];
    let error = flat(&oci_with(&config(&other), &layers)).unwrap_err();
    assert_eq!(error, "a layer is not what the configuration says");

    let two = [layers[0].clone(), layers[0].clone()];
    assert_eq!(refusal(&oci_with(&config(&two), &layers)), "its configuration names 2 layers, and it has 1");
    assert_eq!(refusal(&oci_with(&config(&[]), &[])), "its configuration names 0 layers, and it has 0");
}

#[test]
fn damaged_documents_are_refused() {
    let layers = [layer(&[file("a", "a")])];
    let saved = docker(&layers);
    let mut bytes = std::fs::read(&saved.path).unwrap();
    let at = bytes.windows(9).position(|window| window == b"\"/bin/sh\"").unwrap();
    bytes[at + 1] = b'X';
    std::fs::write(&saved.path, bytes).unwrap();
    assert_eq!(refusal(&saved), "its configuration is damaged");

    let index = json!({ "manifests": [] }).to_string().into_bytes();
    assert!(refusal(&save(&[("index.json".to_owned(), index)])).starts_with("it has no image for linux/"));
    let index = json!({ "manifests": [{ "digest": "sha256:../../../etc/passwd" }] }).to_string().into_bytes();
    assert!(refusal(&save(&[("index.json".to_owned(), index)])).contains("is not a SHA-256 digest"));
    let manifest =
        json!([{ "Config": "c", "Layers": [] }, { "Config": "c", "Layers": [] }]).to_string().into_bytes();
    assert_eq!(refusal(&save(&[("manifest.json".to_owned(), manifest)])), "it has 2 images; save one");
}

#[test]
fn other_files_are_no_archives_of_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, [7; 4096]).unwrap();
    assert!(ImageArchive::open(&path).unwrap().is_none());
    std::fs::write(&path, b"").unwrap();
    assert!(ImageArchive::open(&path).unwrap().is_none());
    assert!(ImageArchive::open(&save(&[("photo.jpg".to_owned(), vec![1])]).path).unwrap().is_none());
}
