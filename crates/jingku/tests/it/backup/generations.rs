//! A backup belongs to one library and keeps several generations of it.

use std::path::Path;

use serde_json::{Value, json};

use super::{Scene, data};
use crate::disk;
use crate::home::files_below;
use crate::old_data;

/// A data directory of schema 7 and its backup by the program of that time: version 1, one generation.
pub(super) fn backup_of_an_earlier_version() -> Scene {
    let scene = Scene::new();
    let archive = &old_data::archives()["0007"];
    old_data::unpack(archive, &scene.home);
    assert!(scene.backup.join("backup").is_file() && !scene.backup.join("generations").exists());
    scene
}

impl Scene {
    pub(super) fn back_up_line(&self) -> [&str; 4] {
        ["backup", self.dir(), "--data-dir", "data"]
    }

    /// Asserts that the next backup converts the old one to its first generation, with its master key.
    pub(super) fn assert_converted(&self) {
        let made = self.home.json(&self.back_up_line());
        assert_eq!((&made["Generation"], &made["WithMasterKey"]), (&json!(2), &json!(true)), "{made}");
        assert_eq!(self.generations(), [2, 1]);
        assert!(!self.backup.join("backup").exists());
        for generation in ["1", "2"] {
            let to = self.home.path("converted");
            let restored = self.home.json(&self.restore(to.to_str().unwrap(), &["--at", generation]));
            assert_eq!(
                (&restored["Images"], &restored["WithMasterKey"]),
                (&json!(5), &json!(true)),
                "{restored}"
            );
            self.home.run(&["check", "--read-data", "--data-dir", to.to_str().unwrap()]).succeeded();
            std::fs::remove_dir_all(to).unwrap();
        }
    }

    fn list(&self) -> Vec<Value> {
        let listed = self.home.json(&["backup", self.dir(), "--list"]);
        listed["Generations"].as_array().unwrap().clone()
    }
}

#[test]
fn a_backup_of_an_earlier_version_is_listed_restored_and_converted() {
    let scene = backup_of_an_earlier_version();
    let listed = scene.list();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["Generation"], &listed[0]["Bytes"]), (&json!(1), &Value::Null), "{listed:?}");
    let to = scene.home.path("before");
    scene.home.run(&scene.restore(to.to_str().unwrap(), &[])).succeeded();
    scene.assert_converted();

    // Another library does not convert it.
    let other = backup_of_an_earlier_version();
    let before = files_below(other.backup.clone());
    other.home.run(&["key", "create"]).succeeded();
    other.home.refuses(&["backup", other.dir()], 1, &["backup of another library"], &["另一个镜像库"]);
    let mut after = files_below(other.backup.clone());
    after.retain(|path, _| path.file_name().is_some_and(|name| name != "catalog.look"));
    assert!(after == before);
}

#[test]
fn the_last_generations_are_kept_and_unreferenced_objects_removed() {
    let scene = Scene::new();
    let home = &scene.home;
    for (id, seed) in [("uhost-1", 1), ("uhost-2", 2), ("uhost-3", 3)] {
        home.add_instance(id, &disk::bytes(6, seed));
    }
    let server = home.serve();
    let mut contents = Vec::new();
    let back_up = |keep: &str| home.json(&["backup", scene.dir(), "--with-master-key", "--keep", keep]);
    let mut images = Vec::new();
    for (number, id) in ["uhost-1", "uhost-2", "uhost-3"].into_iter().enumerate() {
        images.push(home.make(id, &format!("image-{number}")));
        if number > 0 {
            home.purge(&images[number - 1]);
        }
        let made = back_up("2");
        assert_eq!((&made["Generation"], &made["Images"]), (&json!(number + 1), &json!(1)), "{made}");
        assert_eq!(made["RemovedGenerations"], u64::from(number == 2), "{made}");
        // Four chunks and a manifest that only the first generation referenced.
        assert_eq!(made["RemovedObjects"], if number == 2 { 5 } else { 0 }, "{made}");
        contents.push(images[number].clone());
    }
    server.stop();
    assert_eq!(scene.generations(), [3, 2]);
    for (generation, image) in [("2", &contents[1]), ("3", &contents[2])] {
        let restored = scene.restored_with(generation, &["--at", generation]);
        assert_eq!(restored.keys().collect::<Vec<_>>(), [image]);
    }
    let catalogs = std::fs::read_dir(&scene.backup).unwrap().flatten();
    let catalogs = catalogs.filter(|file| file.file_name().to_string_lossy().starts_with("catalog")).count();
    assert_eq!(catalogs, 2);
    let refused = scene.restore("nowhere", &["--at", "1"]);
    home.refuses(&refused, 3, &["has no generation 1", "--list"], &["没有第 1 代备份"]);
    assert!(!home.path("nowhere").exists());

    let listed = home.run(&["backup", scene.dir(), "--list"]).succeeded();
    assert!(listed.out.lines().next().unwrap().starts_with("GENERATION"), "{}", listed.out);
    assert_eq!(listed.out.lines().count(), 3, "{}", listed.out);
    assert!(scene.list().iter().all(|generation| generation["Bytes"].as_u64() > Some(0)));
    home.run(&["backup", scene.dir(), "--keep", "0"]).failed(2, &["--keep"]);
    assert_eq!(back_up("1")["RemovedGenerations"], 2);
    assert_eq!(scene.generations(), [4]);
}

#[test]
fn a_backup_is_never_replaced_by_another_or_a_missing_library() {
    let scene = Scene::new();
    let home = &scene.home;
    scene.two_images();
    scene.back_up();
    let before = files_below(scene.backup.clone());
    let unchanged = || assert!(files_below(scene.backup.clone()) == before);
    let at = |folder: &'static str| ["backup", scene.dir(), "--data-dir", folder];

    // A folder whose disk is not mounted, and a missing folder.
    std::fs::create_dir(home.path("unmounted")).unwrap();
    home.refuses(&at("unmounted"), 3, &["There is no library in", "mounted"], &["没有镜像库"]);
    assert_eq!(std::fs::read_dir(home.path("unmounted")).unwrap().count(), 0, "the folder stays empty");
    home.refuses(&at("missing"), 3, &["There is no data directory"], &["没有数据目录"]);
    unchanged();
    // A new library was created where the disk was not mounted.
    home.run(&["key", "create", "--data-dir", "unmounted"]).succeeded();
    home.refuses(&at("unmounted"), 1, &["backup of another library", "another folder"], &["另一个镜像库"]);
    home.run(&[&at("unmounted")[..], &["--force"]].concat()).failed(1, &["backup of another library"]);
    unchanged();
    // The store is on another disk, which is not mounted.
    let store = home.data().join("store");
    std::fs::rename(&store, home.path("mounted-elsewhere")).unwrap();
    for args in [&["backup", scene.dir()][..], &["usage"], &["check"], &["serve", "--listen", "127.0.0.1:0"]]
    {
        home.run(args).failed(6, &["no chunk store", "disk mounted"]);
    }
    assert!(!store.exists());
    unchanged();
    std::fs::rename(home.path("mounted-elsewhere"), store).unwrap();
    // The restored library is the same one.
    let restored = home.path("restored");
    let restored = restored.to_str().unwrap();
    home.run(&scene.restore(restored, &[])).succeeded();
    let made = home.json(&["backup", scene.dir(), "--data-dir", restored]);
    assert_eq!(made["Generation"], 2, "{made}");
}

#[test]
fn a_library_that_lost_most_images_needs_force() {
    let scene = Scene::new();
    let home = &scene.home;
    for seed in 1..=3 {
        home.add_instance(&format!("uhost-{seed}"), &disk::bytes(2, seed));
    }
    let server = home.serve();
    let images: Vec<_> =
        (1..=3).map(|seed| home.make(&format!("uhost-{seed}"), &format!("image-{seed}"))).collect();
    scene.back_up();
    home.purge(&images[0]);
    assert_eq!(scene.back_up()["Images"], 2, "two of three are more than half");
    home.purge(&images[1]);
    assert_eq!(scene.back_up()["Images"], 1, "half is not less than half");
    home.purge(&images[2]);
    let line = ["backup", scene.dir()];
    home.refuses(&line, 1, &["0 images", "more than half are gone", "--force"], &["超过一半", "--force"]);
    assert_eq!(scene.generations(), [3, 2, 1]);
    let forced = home.json(&["backup", scene.dir(), "--force"]);
    assert_eq!((&forced["Images"], &forced["Generation"]), (&json!(0), &json!(4)), "{forced}");
    assert_eq!(home.json(&line)["Images"], 0, "--force is needed only once");
    server.stop();
    assert_eq!(scene.restored_with("first", &["--at", "1"]).len(), 3);
}

fn key_of(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("master.key")).unwrap()
}

#[test]
fn a_backup_keeps_its_master_key() {
    let scene = Scene::new();
    let home = &scene.home;
    home.run(&["key", "create"]).succeeded();
    let without = || home.run(&["backup", scene.dir()]).succeeded();
    let restored_key = |generation: &str| {
        let to = home.path("with-key");
        home.run(&scene.restore(to.to_str().unwrap(), &["--at", generation])).succeeded();
        let key = to.join("master.key").is_file().then(|| key_of(&to));
        std::fs::remove_dir_all(to).unwrap();
        key
    };
    assert!(without().err.contains("does not contain the master key"));
    assert_eq!(restored_key("1"), None);
    scene.back_up();
    assert!(!without().err.contains("master key"));
    let key = key_of(&home.data());
    assert_eq!(restored_key("3"), Some(key.clone()));

    // The first master key no longer opens the library, but stays with the generations that it opens.
    std::fs::write(home.data().join("master.key"), "ab".repeat(32)).unwrap();
    let catalog = rusqlite::Connection::open(home.data().join("catalog.db")).unwrap();
    catalog.execute("UPDATE keys SET sealed_private_key = 'sealed with another'", []).unwrap();
    drop(catalog);
    assert!(without().err.contains("master key has changed"));
    assert_eq!((restored_key("3"), restored_key("4")), (Some(key), None));
    // The present key file does not open it either, so it replaces nothing.
    let backup = ["backup", scene.dir(), "--with-master-key"];
    home.refuses(&backup, 1, &["master.key does not open"], &["master.key 无法解开"]);
    let catalog = rusqlite::Connection::open(home.data().join("catalog.db")).unwrap();
    catalog.execute("DELETE FROM keys", []).unwrap();
    drop(catalog);
    home.run(&["key", "create"]).succeeded();
    scene.back_up();
    assert_eq!(restored_key("5"), Some(key_of(&home.data())));
    let with_key: Vec<_> = scene.list().iter().map(|one| one["WithMasterKey"] == true).collect();
    assert_eq!(with_key, [true, false, true, true, false]);
}

#[test]
fn a_corrupted_generation_hides_no_other_and_prevents_removal() {
    let scene = Scene::new();
    scene.two_images();
    for _ in 0..3 {
        scene.back_up();
    }
    let record = scene.backup.join("generations/3");
    std::fs::write(&record, "corrupted").unwrap();
    let damaged: Vec<_> = scene.list().iter().map(|one| one["Damaged"] == true).collect();
    assert_eq!(damaged, [true, false, false]);
    let restore = scene.restore("corrupted", &[]);
    scene.home.refuses(&restore, 6, &["generations/3", "--at"], &["generations/3", "--at"]);
    assert_eq!(scene.restored_with("second", &["--at", "2"]).len(), 2);
    let said = scene.home.run(&["backup", scene.dir(), "--keep", "1"]).succeeded();
    assert!(said.err.contains("Nothing was removed") && said.err.contains("generations/3"), "{}", said.err);
    assert_eq!(scene.generations(), [4, 3, 2, 1]);
    std::fs::remove_file(record).unwrap();
    scene.home.run(&["backup", scene.dir(), "--keep", "1"]).succeeded();
    assert_eq!(scene.generations(), [5]);
    assert!(scene.restored("last") == scene.content(&data(&scene.home)));
}
