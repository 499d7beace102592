//! Kills of background work: the server's sweep and scrub, and the repair of a corrupted chunk.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;

use super::{assert_intact, assert_killed, number};
use crate::disk;
use crate::home::{Home, files_below};
use crate::server::{Server, wait};

/// Where the server is killed in the work after its start; sweep.rs kills the commands. There are five chunks and a
/// manifest to sweep.
pub(super) const FAILPOINTS: [&str; 7] = [
    "sweep.before_step:2",
    "sweep.after_step:1",
    "store.manifest_deleted",
    "store.chunk_deleted:3",
    "sweep.done",
    "scrub.before_place",
    "scrub.after_place",
];

/// Where a corrupted chunk is marked, and where it is repaired.
pub(super) const MARKS: [&str; 2] = ["store.note_put", "store.note_deleted"];

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
        // No background work that the test did not request.
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
        self.home.serve_with(&["--config", config.to_str().unwrap()], &[])
    }

    /// Leaves chunks and a manifest that no image references.
    fn litter(&self) {
        let server = self.serve();
        let gone = self.home.make("uhost-2", "gone");
        self.home.run(&["image", "delete", &gone]).succeeded();
        self.home.run(&["trash", "empty", &gone]).succeeded();
        server.stop();
    }

    /// Runs a command or a server until it dies at this failpoint.
    fn kill(&mut self, args: &[&str], place: &str) {
        let mut command = self.home.command(args);
        // A server may die before it prints its address.
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.env("JINGKU_FAILPOINT", place).spawn().unwrap();
        assert_killed(wait(&mut child), place);
        self.kills += 1;
    }

    /// Asserts that both images have their bytes.
    fn survived(&self, place: &str) {
        let (home, server) = (&self.home, self.serve());
        assert!(home.bytes(&self.kept) == self.bytes, "{place}: wrong bytes");
        home.run(&["trash", "restore", &self.trashed]).succeeded();
        assert!(home.bytes(&self.trashed) == self.bytes, "{place}: wrong bytes");
        home.run(&["image", "delete", &self.trashed]).succeeded();
        server.stop();
    }

    fn chunk(&self) -> PathBuf {
        files_below(self.home.data().join("store/chunks")).into_keys().next().unwrap()
    }
}

#[test]
fn images_survive_kills_of_the_sweep_and_the_scrub() {
    let mut scene = Scene::new();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for _ in 0..number("JINGKU_CRASH_ROUNDS", 1).min(20) {
        for place in FAILPOINTS {
            scene.litter();
            // Without its state file the work is due.
            let state = place.strip_prefix("scrub").map_or("sweep", |_| "scrub");
            let _ = std::fs::remove_file(scene.home.data().join(state));
            scene.kill(&serve, place);
            assert_intact(&scene.home, &[], place);
            scene.survived(place);
        }
    }
    // The next sweep removes what a killed one left.
    scene.home.run(&["sweep"]).succeeded();
    let usage = scene.home.json(&["usage"]);
    assert_eq!(usage["Garbage"]["Objects"], json!(0), "{usage}");
    println!("{} kills of sweeps and scrubs", scene.kills);
}

#[test]
fn images_survive_kills_while_corruption_is_marked_and_repaired() {
    let mut scene = Scene::new();
    let chunk = scene.chunk();
    let mut bytes = std::fs::read(&chunk).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let [marked, repaired] = MARKS;
    scene.kill(&["check", "--read-data"], marked);
    let found = scene.home.run(&["check", "--read-data"]).failed_with_output(6);
    assert!(found.out.contains(&scene.kept) && found.out.contains(&scene.trashed), "{found:?}");

    // An image of the same disk restores the chunk, whether or not the mark is removed.
    let again = {
        let mut server = scene.home.serve_with(&[], &[("JINGKU_FAILPOINT", repaired)]);
        let made = scene.home.json(&["image", "create", "--instance", "uhost-1", "--name", "again"]);
        assert_killed(server.wait(), repaired);
        made["CompShareImageId"].as_str().unwrap().to_owned()
    };
    assert_intact(&scene.home, &[], repaired);
    let server = scene.serve();
    scene.home.run(&["image", "progress", &again, "--wait"]).succeeded();
    assert!(scene.home.bytes(&again) == scene.bytes);
    server.stop();
    scene.survived(repaired);
    println!("{} kills around a corrupted chunk", scene.kills + 1);
}
