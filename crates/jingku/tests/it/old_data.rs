//! Data folders and backups by earlier versions, one for each schema of the catalogue: every image is read, and new ones
//! are created.
//!
//! tests/fixtures/data/make.py created them with the program of that time; docs/format/README.md says when to add one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use compshare::actions::DescribeCompShareInstanceRequest;
use serde_json::Value;

use crate::client::{block_on, client_with};
use crate::home::Home;
use crate::server::Server;

const BLOCK: usize = 4096;
const BLOCKS: usize = 400;
const BLOCKS_OF_A_CHUNK: usize = 64;

/// The archives, by the schema of their catalogue.
pub(crate) fn archives() -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let archives = files.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_prefix("schema-")?.strip_suffix(".tar.gz")?;
        Some((name.to_owned(), path.clone()))
    });
    archives.collect()
}

pub(crate) fn unpack(archive: &Path, home: &Home) {
    let folder = home.path("");
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder).status().unwrap();
    assert!(unpacked.success(), "{}", archive.display());
}

/// A disk as make.py writes it: each block contains its number, every third chunk is a hole, the last is not full.
fn disk(name: &str) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK * BLOCKS];
    for (index, block) in bytes.chunks_mut(BLOCK).enumerate() {
        if index / BLOCKS_OF_A_CHUNK % 3 != 1 {
            let line = format!("{name} {index:06}\n").into_bytes();
            block.iter_mut().zip(line.iter().cycle()).for_each(|(byte, of_line)| *byte = *of_line);
        }
    }
    bytes.truncate(BLOCK * BLOCKS - 512);
    bytes
}

/// The images by name.
fn images(home: &Home, at: &[&str]) -> BTreeMap<String, Value> {
    let list = home.json(&[&["image", "list", "--all"], at].concat());
    let rows = list["ImageSet"].as_array().unwrap().iter();
    rows.map(|row| (row["Name"].as_str().unwrap().to_owned(), row.clone())).collect()
}

fn assert_exports_its_disk(home: &Home, at: &[&str], name: &str, row: &Value) {
    let file = home.path("export.raw");
    let id = row["CompShareImageId"].as_str().unwrap();
    home.run(&[&["image", "export", id, "-o", file.to_str().unwrap()], at].concat()).succeeded();
    assert!(fs::read(&file).unwrap() == disk(name), "{name} has wrong bytes");
    fs::remove_file(file).unwrap();
}

/// Asserts that the image of a container has its documents, and the file that make.py put there.
fn assert_is_container(home: &Home, at: &[&str], name: &str, row: &Value) {
    assert_eq!(
        (&row["Container"], &row["Repository"]),
        (&"True".into(), &format!("1/{name}").into()),
        "{row}"
    );
    let file = home.path("export.tar");
    let id = row["CompShareImageId"].as_str().unwrap();
    home.run(&[&["image", "export", id, "-o", file.to_str().unwrap()], at].concat()).succeeded();
    let mut layer = tar::Archive::new(fs::File::open(&file).unwrap());
    let mut entry = layer.entries().unwrap().next().unwrap().unwrap();
    let mut content = Vec::new();
    entry.read_to_end(&mut content).unwrap();
    assert!(content == disk(name), "{name} has wrong bytes");
    fs::remove_file(&file).unwrap();
    let export = ["image", "export", id, "--format", "oci", "-o", file.to_str().unwrap()];
    home.run(&[&export, at].concat()).succeeded();
    let again = ["image", "import", file.to_str().unwrap(), "--name", "container-again", "--wait"];
    home.run(&[&again, at].concat()).succeeded();
    fs::remove_file(file).unwrap();
}

/// Asserts that the instance that make.py created is there, with its password.
fn assert_has_pod(home: &Home, server: &Server, at: &[&str]) {
    let key = home.json(&[&["key", "create"], at].concat());
    let [public, private] = ["PublicKey", "PrivateKey"].map(|field| key[field].as_str().unwrap());
    let client = client_with(server, public, private);
    let request = DescribeCompShareInstanceRequest::default();
    let page = block_on(client.describe_comp_share_instance(&request)).unwrap();
    let pod = page.instances.iter().find(|instance| instance.name == "pod").unwrap();
    assert_eq!((&*pod.state, &*pod.password), ("Install Fail", "UGFzc3cwcmQx"));
}

/// Asserts that a data directory has what make.py put there, and that new images can be created.
fn assert_usable(home: &Home, data: &Path, schema: &str) {
    // The archives have the image of a container and an instance of the API since these schemas.
    let (has_container, has_pod) = (schema >= "0012", schema >= "0016");
    let at = ["--data-dir", data.to_str().unwrap()];
    // By default the trash would have expired.
    let config = home.path("jingku.toml");
    fs::write(&config, "[trash]\nkeep_days = 65535\n").unwrap();
    let server = home.serve_with(&["--config", config.to_str().unwrap(), at[0], at[1]], &[]);
    if has_pod {
        assert_has_pod(home, &server, &at);
    }
    let mut all = images(home, &at);
    let container = all.remove("container");
    assert_eq!(container.is_some(), has_container);
    if let Some(row) = container {
        assert_is_container(home, &at, "container", &row);
    }
    let names: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["plain", "public", "shared"]));
    for (name, row) in &all {
        assert_eq!(row["Status"], "Available", "{row}");
        assert_exports_its_disk(home, &at, name, row);
    }
    assert_eq!(all["plain"]["Description"], "First of all");
    assert_eq!(all["plain"]["Tags"], serde_json::json!(["cv"]));
    assert_eq!((&all["public"]["Visibility"], &all["shared"]["Visibility"]), (&1.into(), &0.into()));

    // The deleted image can be restored.
    let trash = home.json(&[&["trash", "list"], &at[..]].concat());
    let trashed = trash.as_array().unwrap();
    assert_eq!((trashed.len(), &trashed[0]["Name"]), (1, &"trashed".into()), "{trash}");
    let id = trashed[0]["CompShareImageId"].as_str().unwrap();
    home.run(&[&["trash", "restore", id], &at[..]].concat()).succeeded();
    assert_exports_its_disk(home, &at, "trashed", &images(home, &at)["trashed"]);

    // Images can be created from a known disk and from a new one.
    for name in ["plain", "new"] {
        let file = home.path(&format!("{name}-again.raw"));
        fs::write(&file, disk(name)).unwrap();
        let instance = format!("uhost-{name}-again");
        // It is text, so its format must be given.
        let add = ["instance", "add", "--id", &instance, "--disk", file.to_str().unwrap(), "--format", "raw"];
        home.run(&[&add[..], &at].concat()).succeeded();
        let again = format!("{name}-again");
        let create = ["image", "create", "--instance", &instance, "--name", &again, "--wait"];
        home.run(&[&create[..], &at].concat()).succeeded();
        assert_exports_its_disk(home, &at, name, &images(home, &at)[&again]);
        fs::remove_file(file).unwrap();
    }
    let usage = home.json(&[&["usage"], &at[..]].concat());
    let images = usage["Images"].as_array().unwrap();
    assert!(usage["MissingChunks"] == 0 && images.iter().all(|image| image["Damaged"] == false), "{usage}");
    home.run(&[&["check", "--read-data"], &at[..]].concat()).succeeded();
    server.stop();
}

#[test]
fn data_of_earlier_versions_can_be_read_and_extended() {
    for (schema, archive) in archives() {
        let home = Home::new();
        unpack(&archive, &home);
        // First, because using the data directory changes it.
        let backup = home.path("backup");
        if backup.exists() {
            let restored = home.path("restored");
            let restore = ["restore", backup.to_str().unwrap(), "--data-dir", restored.to_str().unwrap()];
            home.run(&restore).succeeded();
            assert_usable(&home, &restored, &schema);
        }
        assert_usable(&home, &home.path("data"), &schema);
    }
}

#[test]
fn the_newest_schema_has_an_archive() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../jingku-catalog/migrations");
    let names =
        fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let newest = names.map(|name| name.split('_').next().unwrap().to_owned()).max().unwrap();
    let archives = archives();
    assert!(archives.contains_key(&newest), "make schema-{newest}.tar.gz: see docs/format/README.md");
    assert!(archives.len() > 1, "{archives:?}");
}
