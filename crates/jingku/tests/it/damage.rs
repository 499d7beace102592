//! The catalogue's file and its write-ahead log, corrupted in many ways: wrong bytes are never served, messages are
//! clear, and the backup restores everything.
//!
//! `JINGKU_DAMAGE_FLIPS` sets how many bits are flipped, one at a time; `JINGKU_DAMAGE_SEED` which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::crash::number;
use crate::disk;
use crate::home::{Home, copy_folder};
use crate::server::Server;

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Delete,
    /// Keep this many bytes.
    Cut(usize),
    Flip(usize),
    /// Overwrite a page with zeros.
    Blank(usize),
}

const PAGE: usize = 4096;

impl Damage {
    fn apply(self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        match self {
            Self::Delete => return fs::remove_file(path).unwrap(),
            Self::Cut(length) => bytes.truncate(length),
            Self::Flip(bit) => bytes[bit / 8] ^= 1 << (bit % 8),
            Self::Blank(page) => bytes[page * PAGE..].iter_mut().take(PAGE).for_each(|byte| *byte = 0),
        }
        fs::write(path, bytes).unwrap();
    }
}

/// A data directory as a killed server leaves it: the last changes are only in the log.
struct Scene {
    home: Home,
    /// Name and bytes of each image.
    images: BTreeMap<String, (String, Vec<u8>)>,
    /// The image that is only in the log.
    last: String,
    found: u32,
    harmless: u32,
    /// SQLite ends the log at the corruption, as after a power cut: the catalogue is intact, but older.
    earlier: u32,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let mut images = BTreeMap::new();
        let (mut server, mut last) = (home.serve(), String::new());
        for number in 0..4 {
            if number == 3 {
                // The restart moves the log into the file.
                server.stop();
                server = home.serve();
            }
            let bytes = disk::bytes(2, number);
            let (instance, name) = (format!("uhost-{number}"), format!("image-{number}"));
            home.add_instance(&instance, &bytes);
            last = home.make(&instance, &name);
            images.insert(last.clone(), (name, bytes));
        }
        let backup = home.path("backup");
        home.run(&["backup", backup.to_str().unwrap(), "--with-master-key"]).succeeded();
        server.signal(Signal::KILL);
        server.wait();
        copy_folder(&home.data(), &home.path("good"));
        assert!(home.data().join("catalog.db-wal").metadata().unwrap().len() > 0, "the log is empty");
        Self { home, images, last, found: 0, harmless: 0, earlier: 0 }
    }

    /// Corrupts a file of a fresh copy, and checks how a server and the commands react.
    fn try_out(&mut self, file: &str, damage: Damage) {
        let what = format!("{file} {damage:?}");
        fs::remove_dir_all(self.home.data()).unwrap();
        copy_folder(&self.home.path("good"), &self.home.data());
        damage.apply(&self.home.data().join(file));
        let mut reported = self.check_finds(&what);
        match self.start(&what) {
            Some(server) => {
                let seen = self.served(&what);
                server.stop();
                assert!(reported || seen != Served::Less, "{what}: images are missing without a message");
                if seen == Served::Earlier && !reported {
                    assert_eq!(file, "catalog.db-wal", "{what}: an image is missing without a message");
                    self.earlier += 1;
                    return;
                }
                reported |= seen != Served::All;
            }
            None => reported = true,
        }
        if reported { self.found += 1 } else { self.harmless += 1 }
    }

    /// Whether `check` reports corruption; it must then name a remedy.
    fn check_finds(&self, what: &str) -> bool {
        let checked = self.home.run(&["check", "--read-data"]);
        match checked.code {
            Some(0) => return false,
            Some(1..=6) => assert_clear(&checked.err, what),
            _ => panic!("{what}: {checked:?}"),
        }
        assert_names_remedy(&checked.err, what);
        true
    }

    fn start(&self, what: &str) -> Option<Server> {
        let started = Server::try_start(&mut self.home.command(&["serve", "--listen", "127.0.0.1:0"]));
        started
            .map_err(|(status, said)| {
                assert!(matches!(status.code(), Some(1..=6)), "{what}: {status}: {said}");
                assert_clear(&said, what);
                assert_names_remedy(&said, what);
            })
            .ok()
    }

    /// Asserts that every answer is correct or an error, and classifies them.
    fn served(&self, what: &str) -> Served {
        let listed = self.home.run(&["image", "list", "--all", "--json"]);
        if listed.code != Some(0) {
            assert_clear(&listed.err, what);
        }
        let list: Value = serde_json::from_str(&listed.out).unwrap_or_default();
        let shown = list["ImageSet"].as_array().cloned().unwrap_or_default();
        let mut served = if listed.code == Some(0) { Served::All } else { Served::Errors };
        for (id, (name, bytes)) in &self.images {
            let is_it =
                |image: &Value| image["Name"] == name.as_str() && image["CompShareImageId"] == id.as_str();
            if served == Served::All && !shown.iter().any(is_it) {
                served = if *id == self.last { Served::Earlier } else { Served::Less };
            }
            let file = self.home.path("export.raw");
            let exported = self.home.run(&["image", "export", id, "-o", file.to_str().unwrap()]);
            if exported.code == Some(0) {
                assert!(fs::read(&file).unwrap() == *bytes, "{what}: {name} has wrong bytes");
                fs::remove_file(file).unwrap();
            } else {
                assert_clear(&exported.err, what);
                assert!(!file.exists(), "{what}: a failed export left a file");
                if served == Served::All {
                    served = Served::Errors;
                }
            }
        }
        served
    }
}

/// What the server answers to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    All,
    /// The last image is missing.
    Earlier,
    /// Other images are missing or renamed.
    Less,
    Errors,
}

/// Asserts that a message is an error for people, without internals of the program.
fn assert_clear(said: &str, what: &str) {
    assert!(said.contains("error: ") || said.contains("\"error\":"), "{what}: {said}");
    assert!(!said.contains("panicked") && !said.contains("unwrap"), "{what}: {said}");
}

/// Asserts that a message names the backup, or the cause that the corruption looks like.
fn assert_names_remedy(said: &str, what: &str) {
    let remedies = [
        "jingku restore",
        "the catalogue cannot be reached: ",
        // Corruption of the schema table or of keys looks like another version or another master key.
        "this program knows",
        "refused a statement: ",
        "the master key",
    ];
    assert!(remedies.iter().any(|remedy| said.contains(remedy)), "{what}: {said}");
}

#[test]
fn a_corrupted_catalogue_serves_no_wrong_bytes_and_names_the_remedy() {
    let (flips, seed) = (number("JINGKU_DAMAGE_FLIPS", 16), number("JINGKU_DAMAGE_SEED", 1));
    println!("JINGKU_DAMAGE_SEED={seed} JINGKU_DAMAGE_FLIPS={flips}");
    let mut scene = Scene::new();
    for file in ["catalog.db", "catalog.db-wal"] {
        let length = usize::try_from(scene.home.path("good").join(file).metadata().unwrap().len()).unwrap();
        let mut damages = vec![Damage::Delete, Damage::Blank(0), Damage::Flip(3), Damage::Flip(18 * 8)];
        damages.extend([0, 50, length / 2, length - 1].map(Damage::Cut));
        let mut random = fastrand::Rng::with_seed(seed);
        damages.extend((0..flips).map(|turn| match turn % 4 {
            3 => Damage::Blank(random.usize(..length / PAGE)),
            _ => Damage::Flip(random.usize(..length * 8)),
        }));
        for damage in damages {
            scene.try_out(file, damage);
        }
    }
    let Scene { found, harmless, earlier, .. } = scene;
    println!("{found} corruptions found, {harmless} without effect, {earlier} ended the log");
    assert!(scene.found >= 8, "only {} were found", scene.found);

    // The remedy works.
    let (backup, to) = (scene.home.path("backup"), scene.home.path("restored"));
    let at = ["--data-dir", to.to_str().unwrap()];
    scene.home.run(&["restore", backup.to_str().unwrap(), at[0], at[1]]).succeeded();
    scene.home.run(&["check", "--read-data", at[0], at[1]]).succeeded();
    let server = scene.home.serve_with(&at, &[]);
    for (id, (name, bytes)) in &scene.images {
        let file = scene.home.path("export.raw");
        scene.home.run(&["image", "export", id, "-o", file.to_str().unwrap(), at[0], at[1]]).succeeded();
        assert!(fs::read(&file).unwrap() == *bytes, "{name} has wrong bytes");
        fs::remove_file(file).unwrap();
    }
    server.stop();
}

/// A young catalogue is entirely in its log. Without it the catalogue is empty, and a sweep would remove every chunk.
#[test]
fn a_catalogue_without_its_log_is_not_taken_for_a_new_one() {
    let home = Home::new();
    let bytes = disk::bytes(2, 1);
    let mut server = home.serve();
    home.add_instance("uhost-1", &bytes);
    let id = home.make("uhost-1", "kept");
    server.signal(Signal::KILL);
    server.wait();
    let log = home.data().join("catalog.db-wal");
    fs::rename(&log, home.path("log")).unwrap();
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"], &["sweep"], &["usage"]] {
        home.refuses(args, 6, &["is gone or empty", "jingku restore"], &["丢失或为空", "jingku restore"]);
    }
    fs::rename(home.path("log"), log).unwrap();
    let server = home.serve();
    assert!(home.bytes(&id) == bytes);
    server.stop();
}
