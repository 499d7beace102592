//! `jingku backup` and `jingku restore`: beside a running server, with corrupted files, killed at every step.

mod generations;
mod kills;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::corruption::Corruption;
use crate::disk;
use crate::home::{Home, files_below};

pub(crate) use kills::FAILPOINTS;

/// The images of a data directory: name and bytes by id.
type Content = BTreeMap<String, (String, Vec<u8>)>;

/// A home and its backup.
struct Scene {
    home: Home,
    backup: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let backup = home.path("backup");
        Self { home, backup }
    }

    fn back_up(&self) -> Value {
        self.home.json(&["backup", self.dir(), "--with-master-key"])
    }

    fn dir(&self) -> &str {
        self.backup.to_str().unwrap()
    }

    fn restore<'a>(&'a self, to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&["restore", self.dir(), "--data-dir", to], more].concat()
    }

    /// Reads every image of a data directory through a server.
    fn content(&self, data: &str) -> Content {
        let at = ["--data-dir", data];
        let server = self.home.serve_with(&at, &[]);
        let list = self.home.json(&[&["image", "list", "--all"], &at[..]].concat());
        let file = self.home.path("content.raw");
        let mut content = Content::new();
        for image in list["ImageSet"].as_array().unwrap() {
            let id = image["CompShareImageId"].as_str().unwrap();
            assert_eq!(image["Status"], "Available", "{image}");
            let export = ["image", "export", id, "-o", file.to_str().unwrap()];
            self.home.run(&[&export[..], &at].concat()).succeeded();
            let name = image["Name"].as_str().unwrap().to_owned();
            content.insert(id.to_owned(), (name, std::fs::read(&file).unwrap()));
            std::fs::remove_file(&file).unwrap();
        }
        server.stop();
        content
    }

    /// Restores into a new folder and returns its content.
    fn restored(&self, name: &str) -> Content {
        self.restored_with(name, &[])
    }

    fn restored_with(&self, name: &str, more: &[&str]) -> Content {
        let to = self.home.path(name);
        let to = to.to_str().unwrap();
        self.home.run(&self.restore(to, more)).succeeded();
        self.home.run(&["check", "--read-data", "--data-dir", to]).succeeded();
        self.content(to)
    }

    /// The numbers of the generations, newest first.
    fn generations(&self) -> Vec<u64> {
        let listed = self.home.json(&["backup", self.dir(), "--list"]);
        let generations = listed["Generations"].as_array().unwrap().iter();
        generations.map(|generation| generation["Generation"].as_u64().unwrap()).collect()
    }

    /// Creates two images of 4 chunks each that share none.
    fn two_images(&self) -> [String; 2] {
        for (id, seed) in [("uhost-1", 1), ("uhost-2", 2)] {
            self.home.add_instance(id, &disk::bytes(6, seed));
        }
        let server = self.home.serve();
        let images = [self.home.make("uhost-1", "a"), self.home.make("uhost-2", "b")];
        server.stop();
        images
    }
}

fn data(home: &Home) -> String {
    home.data().to_str().unwrap().to_owned()
}

#[test]
fn a_restore_returns_every_image() {
    let scene = Scene::new();
    let [a, b] = scene.two_images();
    let first = scene.back_up();
    assert_eq!((&first["Images"], &first["CopiedObjects"]), (&json!(2), &json!(10)), "{first}");
    let again = scene.back_up();
    assert_eq!((&again["CopiedObjects"], &again["PresentObjects"]), (&json!(0), &json!(10)), "{again}");
    assert_eq!(again["PresentBytes"], first["CopiedBytes"]);
    let original = scene.content(&data(&scene.home));
    assert_eq!(original.keys().collect::<Vec<_>>().len(), 2);
    assert!(scene.restored("one") == original);

    // The backup includes the trash, and copies only what is new.
    scene.home.add_instance("uhost-3", &disk::bytes(6, 3));
    let server = scene.home.serve();
    scene.home.make("uhost-3", "c");
    scene.home.run(&["image", "delete", &a]).succeeded();
    let third = scene.back_up();
    assert_eq!((&third["Images"], &third["CopiedObjects"]), (&json!(3), &json!(5)), "{third}");
    server.stop();
    let original = scene.content(&data(&scene.home));
    assert!(original.contains_key(&b) && !original.contains_key(&a));
    assert!(scene.restored("two") == original);
    let two = scene.home.path("two");
    let at = ["--data-dir", two.to_str().unwrap()];
    scene.home.run(&[&["trash", "restore", &a], &at[..]].concat()).succeeded();
    assert_eq!(scene.content(at[1]).len(), 3);
    let usage = scene.home.json(&[&["usage"], &at[..]].concat());
    assert_eq!((&usage["MissingChunks"], &usage["Garbage"]["Objects"]), (&json!(0), &json!(0)), "{usage}");
    for path in [scene.backup.clone(), two] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_backup_is_consistent_while_images_are_created_and_purged() {
    let scene = Scene::new();
    let home = &scene.home;
    for seed in 0..3 {
        home.add_instance(&format!("uhost-{seed}"), &disk::bytes(12, seed));
    }
    let server = home.serve();
    let kept = home.make("uhost-0", "kept");
    std::thread::scope(|scope| {
        for seed in 1..3 {
            scope.spawn(move || {
                for round in 0..4 {
                    let id = home.make(&format!("uhost-{seed}"), &format!("{seed}-{round}"));
                    if round % 2 == 0 {
                        home.run(&["image", "delete", &id]).succeeded();
                        home.run(&["trash", "empty", &id]).succeeded();
                    }
                }
            });
        }
        for round in 0..4 {
            // The number of images may drop by more than half between two backups.
            let made = home.json(&["backup", scene.dir(), "--with-master-key", "--force"]);
            assert_eq!(made["DamagedImages"], json!([]), "{made}");
            let to = home.path(&format!("round-{round}"));
            let to = to.to_str().unwrap();
            let restored = home.json(&scene.restore(to, &[]));
            assert_eq!(restored["Images"], made["Images"], "{restored}");
            // Every image of the backup is complete; the restore has verified every byte.
            let usage = home.json(&["usage", "--data-dir", to]);
            assert_eq!(usage["MissingChunks"], 0, "{usage}");
            let images = usage["Images"].as_array().unwrap();
            assert!(images.iter().any(|image| image["CompShareImageId"] == json!(kept)), "{usage}");
        }
    });
    server.stop();
    scene.back_up();
    assert!(scene.restored("last") == scene.content(&data(home)));
}

const CORRUPTIONS: [Corruption; 3] = [Corruption::FlipBit, Corruption::Truncate, Corruption::Delete];

/// Every file of a backup that has content, with its kind.
fn files(backup: &Path) -> Vec<(PathBuf, &'static str)> {
    let kind = |path: &Path| {
        let text = path.strip_prefix(backup).unwrap().to_str().unwrap();
        ["store/chunks", "store/manifests", "catalog-", "keys", "generations"]
            .into_iter()
            .find(|start| text.starts_with(start))
    };
    let files = files_below(backup.to_owned()).into_keys();
    files.filter_map(|path| kind(&path).map(|kind| (path, kind))).collect()
}

#[test]
fn a_restore_reports_every_corrupted_file_of_a_backup() {
    let scene = Scene::new();
    let images = scene.two_images();
    scene.back_up();
    let original = scene.content(&data(&scene.home));
    let all = files(&scene.backup);
    assert_eq!(all.len(), 8 + 2 + 1 + 2 + 1, "{all:?}");
    for (path, kind) in &all {
        for corruption in CORRUPTIONS {
            let good = std::fs::read(path).unwrap();
            corruption.apply(path);
            let to = scene.home.path("corrupted");
            let to = to.to_str().unwrap();
            let ended = scene.home.run(&scene.restore(to, &[]));
            let name = path.file_name().unwrap().to_str().unwrap();
            match *kind {
                "store/chunks" | "store/manifests" => {
                    let ended = ended.failed(6, &[name, "--skip-damaged", "1 of the backup's images"]);
                    let corrupted: Vec<_> = images.iter().filter(|id| ended.err.contains(*id)).collect();
                    assert_eq!(corrupted.len(), 1, "{}", ended.err);
                    // The folder cannot be used before a restore is complete.
                    let at = ["--data-dir", to];
                    let args = [&["image", "list"], &at[..]].concat();
                    assert_ne!(scene.home.run(&args).code, Some(0));
                    scene.home.run(&[&["key", "list"], &at[..]].concat()).failed(3, &["jingku restore"]);
                    let said = scene.home.run(&scene.restore(to, &["--skip-damaged"])).succeeded();
                    assert!(said.err.contains(corrupted[0]), "{}", said.err);
                    let mut left = original.clone();
                    left.remove(corrupted[0]);
                    assert!(scene.content(to) == left, "{path:?} {corruption:?}");
                    std::fs::remove_dir_all(to).unwrap();
                }
                _ => {
                    let missing_record = *kind == "generations" && corruption == Corruption::Delete;
                    let code = if missing_record { 3 } else { 6 };
                    ended.failed(code, &[if missing_record { "no finished backup" } else { name }]);
                    assert!(!Path::new(to).exists(), "{path:?} {corruption:?}");
                }
            }
            std::fs::write(path, good).unwrap();
        }
    }
    assert!(scene.restored("intact") == original);
}

#[test]
fn the_next_backup_repairs_corrupted_files() {
    let scene = Scene::new();
    scene.two_images();
    scene.back_up();
    let original = scene.content(&data(&scene.home));
    for (path, kind) in files(&scene.backup) {
        if !kind.starts_with("store") {
            continue;
        }
        for corruption in CORRUPTIONS {
            corruption.apply(&path);
            let verified = scene.home.json(&["backup", scene.dir(), "--with-master-key", "--verify"]);
            assert_eq!(verified["CopiedObjects"], 1, "{path:?} {corruption:?} {verified}");
        }
        // A wrong length is found without reading the content.
        Corruption::Truncate.apply(&path);
        assert_eq!(scene.back_up()["MendedObjects"], 1, "{path:?}");
    }
    assert!(scene.restored("repaired") == original);
}

#[test]
fn a_backup_reports_corruption_and_does_not_copy_it() {
    let scene = Scene::new();
    let images = scene.two_images();
    let chunks = files_below(scene.home.data().join("store/chunks"));
    let chunk = chunks.keys().next().unwrap();
    let good = std::fs::read(chunk).unwrap();
    let name = chunk.file_name().unwrap().to_str().unwrap();
    for corruption in CORRUPTIONS {
        corruption.apply(chunk);
        let backup = scene.home.path(&format!("{corruption:?}"));
        let backup = backup.to_str().unwrap();
        let ended = scene.home.run(&["backup", backup]);
        assert_eq!(ended.code, Some(6), "{ended:?}");
        let corrupted = images.iter().filter(|id| ended.err.contains(*id)).count();
        assert!(corrupted == 1 && ended.err.contains(name), "{}", ended.err);
        std::fs::write(chunk, &good).unwrap();
        // A backup that already has the chunk keeps it.
        scene.back_up();
        corruption.apply(chunk);
        let verified = scene.home.json(&["backup", scene.dir(), "--with-master-key", "--verify"]);
        assert_eq!((&verified["CopiedObjects"], &verified["PresentObjects"]), (&json!(0), &json!(10)));
        std::fs::write(chunk, &good).unwrap();
        let to = scene.home.path("kept");
        let to = to.to_str().unwrap();
        scene.home.run(&scene.restore(to, &[])).succeeded();
        std::fs::remove_dir_all(to).unwrap();
    }
}

#[test]
fn unusable_folders_and_keys_are_refused() {
    let scene = Scene::new();
    let home = &scene.home;
    home.run(&["key", "create"]).succeeded();
    let full = home.path("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("thesis.txt"), "mine").unwrap();
    let full = full.to_str().unwrap();
    home.refuses(&["backup", full], 1, &["is not empty and holds no backup"], &["不是空目录"]);
    let inside = home.data().join("backup");
    let inside = inside.to_str().unwrap();
    home.refuses(&["backup", inside], 1, &["inside the data directory"], &["位于数据目录之内"]);
    assert!(!Path::new(inside).exists());
    home.refuses(&["restore", full, "--data-dir", "new"], 3, &["no finished backup"], &["没有已完成的备份"]);
    let said = home.run(&["backup", scene.dir()]).succeeded();
    assert!(said.err.contains("does not contain the master key"), "{said:?}");
    home.refuses(&scene.restore(full, &[]), 1, &["is not empty", "--data-dir"], &["不是空目录"]);
    assert_eq!(std::fs::read_to_string(Path::new(full).join("thesis.txt")).unwrap(), "mine");
    assert!(!files_below(scene.backup.clone()).keys().any(|path| path.ends_with("master.key")));

    // A library restored without its master key opens once the key file is copied there.
    let to = home.path("new");
    let to = to.to_str().unwrap();
    let said = home.run(&scene.restore(to, &[])).succeeded();
    assert!(said.err.contains("no master key") && said.err.contains("JINGKU_MASTER_KEY"), "{said:?}");
    let key = std::fs::read(home.data().join("master.key")).unwrap();
    std::fs::write(Path::new(to).join("master.key"), key).unwrap();
    assert_eq!(home.json(&["key", "list", "--data-dir", to]), home.json(&["key", "list"]));
    let with_key = |args: &[&str]| {
        let mut command = home.command(&[args, &["--data-dir", "fresh"]].concat());
        command.env("JINGKU_MASTER_KEY", "ab".repeat(32));
        crate::home::Ended::of(&mut command)
    };
    with_key(&["key", "create"]).succeeded();
    with_key(&["backup", "other", "--with-master-key"]).failed(1, &["comes from JINGKU_MASTER_KEY"]);
}
