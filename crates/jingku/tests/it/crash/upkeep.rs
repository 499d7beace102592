//! What works in the background killed: the server's own sweep and scrub, and what heals a damaged chunk.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;

use super::{assert_killed, assert_whole, number};
use crate::disk;
use crate::home::{Home, files_below};
use crate::server::{Server, wait};

/// Where a server is killed that finds work to do as it starts; sweep.rs does the same to the commands. There are five chunks
/// and a manifest to sweep.
pub(super) const FAILPOINTS: [&str; 7] = [
    "sweep.before_step:2",
    "sweep.after_step:1",
    "store.manifest_deleted",
    "store.chunk_deleted:3",
    "sweep.done",
    "scrub.before_place",
    "scrub.after_place",
];

/// Where a damaged chunk is noted, and where it is healed.
pub(super) const NOTES: [&str; 2] = ["store.note_put", "store.note_deleted"];

/// Images that must survive, and an instance whose images are swept away.
struct Scene {
    home: Home,
    kept: String,
    trashed: String,
    bytes: Vec<u8>,
    kills: u32,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let bytes = disk::bytes(6, 1);
        home.add_instance("uhost-1", &bytes);
        home.add_instance("uhost-2", &disk::bytes(7, 2));
        // What nobody asked for would come between.
        std::fs::write(home.path("quiet.toml"), "[sweep]\nevery_hours = 0\n[scrub]\ndays = 0\n").unwrap();
        let mut scene = Self { home, kept: String::new(), trashed: String::new(), bytes, kills: 0 };
        let server = scene.serve();
        scene.kept = scene.home.make("uhost-1", "kept");
        scene.trashed = scene.home.make("uhost-1", "trashed");
        scene.home.run(&["image", "delete", &scene.trashed]).succeeded();
        server.stop();
        scene
    }

    fn serve(&self) -> Server {
        let config = self.home.path("quiet.toml");
        let args = ["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()];
        Server::start(&mut self.home.command(&args))
    }

    /// Leaves chunks and a manifest that no image needs.
    fn litter(&self) {
        let server = self.serve();
        let gone = self.home.make("uhost-2", "gone");
        self.home.run(&["image", "delete", &gone]).succeeded();
        self.home.run(&["trash", "empty", &gone]).succeeded();
        server.stop();
    }

    /// Runs a command, or a server that finds work to do as it starts, until it dies at that place.
    fn kill(&mut self, args: &[&str], place: &str) {
        let mut command = self.home.command(args);
        // A server may die before it says where it listens.
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.env("JINGKU_FAILPOINT", place).spawn().unwrap();
        assert_killed(wait(&mut child), place);
        self.kills += 1;
    }

    /// Both images are what they were.
    fn survived(&self, place: &str) {
        let (home, server) = (&self.home, self.serve());
        assert!(home.bytes(&self.kept) == self.bytes, "{place}: other bytes");
        home.run(&["trash", "restore", &self.trashed]).succeeded();
        assert!(home.bytes(&self.trashed) == self.bytes, "{place}: other bytes");
        home.run(&["image", "delete", &self.trashed]).succeeded();
        server.stop();
    }

    fn chunk(&self) -> PathBuf {
        files_below(self.home.data().join("store/chunks")).into_keys().next().unwrap()
    }
}

#[test]
fn killed_at_every_step() {
    let mut scene = Scene::new();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for _ in 0..number("JINGKU_CRASH_ROUNDS", 1).min(20) {
        for place in FAILPOINTS {
            scene.litter();
            // It is time for one.
            let state = place.strip_prefix("scrub").map_or("sweep", |_| "scrub");
            let _ = std::fs::remove_file(scene.home.data().join(state));
            scene.kill(&serve, place);
            assert_whole(&scene.home, &[], place);
            scene.survived(place);
        }
    }
    // What a killed sweep left, the next takes.
    scene.home.run(&["sweep"]).succeeded();
    let usage = scene.home.json(&["usage"]);
    assert_eq!(usage["Garbage"]["Objects"], json!(0), "{usage}");
    println!("{} kills of sweeps and scrubs", scene.kills);
}

#[test]
fn killed_while_damage_is_noted_and_healed() {
    let mut scene = Scene::new();
    let chunk = scene.chunk();
    let mut bytes = std::fs::read(&chunk).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let [noted, healed] = NOTES;
    scene.kill(&["check", "--read-data"], noted);
    let found = scene.home.run(&["check", "--read-data"]).failed_with_output(6);
    assert!(found.out.contains(&scene.kept) && found.out.contains(&scene.trashed), "{found:?}");

    // The same disk again brings the chunk back, whether or not the note goes.
    let again = {
        let mut command = scene.home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut server = Server::start(command.env("JINGKU_FAILPOINT", healed));
        let made = scene.home.json(&["image", "create", "--instance", "uhost-1", "--name", "again"]);
        assert_killed(server.wait(), healed);
        made["CompShareImageId"].as_str().unwrap().to_owned()
    };
    assert_whole(&scene.home, &[], healed);
    let server = scene.serve();
    scene.home.run(&["image", "progress", &again, "--wait"]).succeeded();
    assert!(scene.home.bytes(&again) == scene.bytes);
    server.stop();
    scene.survived(healed);
    println!("{} kills around a damaged chunk", scene.kills + 1);
}
