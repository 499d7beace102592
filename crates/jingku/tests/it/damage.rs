//! The catalogue's file and its log damaged in every way: wrong bytes are never served, what is found is said clearly, and the
//! backup brings back everything.
//!
//! `JINGKU_DAMAGE_FLIPS` says how many bits are flipped, one at a time, `JINGKU_DAMAGE_SEED` which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Delete,
    /// Keep that many bytes.
    Cut(usize),
    Flip(usize),
    /// Zeros instead of a page.
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

/// A data folder as a killed server leaves it, with the log of what is not in the catalogue's file yet.
struct Scene {
    home: Home,
    /// Name and bytes of each image.
    images: BTreeMap<String, (String, Vec<u8>)>,
    /// The image that is in the log only.
    last: String,
    found: u32,
    harmless: u32,
    /// The log ends at the damage, as after a power cut: the catalogue is whole, and an earlier one.
    earlier: u32,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let mut images = BTreeMap::new();
        let (mut server, mut last) = (home.serve(), String::new());
        for number in 0..4 {
            if number == 3 {
                // What was made so far comes out of the log into the file.
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
        copy(&home.data(), &home.path("good"));
        assert!(home.data().join("catalog.db-wal").metadata().unwrap().len() > 0, "there is no log");
        Self { home, images, last, found: 0, harmless: 0, earlier: 0 }
    }

    /// Damages a file of a fresh copy, and looks what a server and the commands make of it.
    fn try_out(&mut self, file: &str, damage: Damage) {
        let what = format!("{file} {damage:?}");
        fs::remove_dir_all(self.home.data()).unwrap();
        copy(&self.home.path("good"), &self.home.data());
        damage.apply(&self.home.data().join(file));
        let mut told = self.checked(&what);
        match self.start(&what) {
            Some(server) => {
                let seen = self.served(&what);
                server.stop();
                assert!(told || seen != Served::Less, "{what}: images are gone, and nothing says so");
                if seen == Served::Earlier && !told {
                    assert_eq!(file, "catalog.db-wal", "{what}: an image is gone, and nothing says so");
                    self.earlier += 1;
                    return;
                }
                told |= seen != Served::All;
            }
            None => told = true,
        }
        if told { self.found += 1 } else { self.harmless += 1 }
    }

    /// Whether `check` finds something; it says what to do then.
    fn checked(&self, what: &str) -> bool {
        let checked = self.home.run(&["check", "--read-data"]);
        match checked.code {
            Some(0) => return false,
            Some(1..=6) => clear(&checked.err, what),
            _ => panic!("{what}: {checked:?}"),
        }
        names_a_way(&checked.err, what);
        true
    }

    fn start(&self, what: &str) -> Option<Server> {
        let started = Server::try_start(&mut self.home.command(&["serve", "--listen", "127.0.0.1:0"]));
        started
            .map_err(|(status, said)| {
                assert!(matches!(status.code(), Some(1..=6)), "{what}: {status}: {said}");
                clear(&said, what);
                names_a_way(&said, what);
            })
            .ok()
    }

    /// What is answered is an error, or right.
    fn served(&self, what: &str) -> Served {
        let listed = self.home.run(&["image", "list", "--all", "--json"]);
        if listed.code != Some(0) {
            clear(&listed.err, what);
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
                assert!(fs::read(&file).unwrap() == *bytes, "{what}: {name} has other bytes");
                fs::remove_file(file).unwrap();
            } else {
                clear(&exported.err, what);
                assert!(!file.exists(), "{what}: a file of an image that could not be read");
                if served == Served::All {
                    served = Served::Errors;
                }
            }
        }
        served
    }
}

/// What clients get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    All,
    /// The last image is not there.
    Earlier,
    /// Others are not, or have other names.
    Less,
    Errors,
}

/// A sentence for a person, and nothing of the inside of the program.
fn clear(said: &str, what: &str) {
    assert!(said.contains("error: ") || said.contains("\"error\":"), "{what}: {said}");
    assert!(!said.contains("panicked") && !said.contains("unwrap"), "{what}: {said}");
}

/// The backup; or what was refused, where damage looks like something else.
fn names_a_way(said: &str, what: &str) {
    let ways = [
        "jingku restore",
        "the catalogue cannot be reached: ",
        // Damage within what is known of the schema, or of keys, looks like another version or another key.
        "this program knows",
        "refused a statement: ",
        "the master key",
    ];
    assert!(ways.iter().any(|way| said.contains(way)), "{what}: {said}");
}

fn copy(from: &Path, to: &Path) {
    let copied = Ended::of(std::process::Command::new("cp").arg("-a").args([from, to]));
    copied.succeeded();
}

#[test]
fn a_damaged_catalogue_serves_no_wrong_bytes_and_names_the_way_back() {
    let number =
        |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (flips, seed) = (number("JINGKU_DAMAGE_FLIPS", 16), number("JINGKU_DAMAGE_SEED", 1));
    println!("JINGKU_DAMAGE_SEED={seed} JINGKU_DAMAGE_FLIPS={flips}");
    let mut scene = Scene::new();
    for file in ["catalog.db", "catalog.db-wal"] {
        let length = usize::try_from(scene.home.path("good").join(file).metadata().unwrap().len()).unwrap();
        let mut damages = vec![Damage::Delete, Damage::Blank(0), Damage::Flip(3), Damage::Flip(18 * 8)];
        damages.extend([0, 50, length / 2, length - 1].map(Damage::Cut));
        let mut state = seed;
        damages.extend((0..flips).map(|turn| {
            let mut noise = [0; 8];
            disk::noise(state as u64, &mut noise);
            state += 1;
            let place = usize::from_le_bytes(noise);
            if turn % 4 == 3 {
                Damage::Blank(place % (length / PAGE))
            } else {
                Damage::Flip(place % (length * 8))
            }
        }));
        for damage in damages {
            scene.try_out(file, damage);
        }
    }
    let Scene { found, harmless, earlier, .. } = scene;
    println!("{found} kinds of damage found, {harmless} without effect, {earlier} that the log ends at");
    assert!(scene.found >= 8, "{} were found", scene.found);

    // What the messages say works.
    let (backup, to) = (scene.home.path("backup"), scene.home.path("restored"));
    let at = ["--data-dir", to.to_str().unwrap()];
    scene.home.run(&["restore", backup.to_str().unwrap(), at[0], at[1]]).succeeded();
    scene.home.run(&["check", "--read-data", at[0], at[1]]).succeeded();
    let server = Server::start(&mut scene.home.command(&["serve", "--listen", "127.0.0.1:0", at[0], at[1]]));
    for (id, (name, bytes)) in &scene.images {
        let file = scene.home.path("export.raw");
        scene.home.run(&["image", "export", id, "-o", file.to_str().unwrap(), at[0], at[1]]).succeeded();
        assert!(fs::read(&file).unwrap() == *bytes, "{name} has other bytes");
        fs::remove_file(file).unwrap();
    }
    server.stop();
}

/// A young catalogue is all in its log. Without it there seems to be none, and a sweep would take every image.
#[test]
fn a_catalogue_that_lost_its_log_is_not_taken_for_a_new_one() {
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
