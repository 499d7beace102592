//! The server killed while it creates an image.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::{assert_intact, assert_killed, number};
use crate::disk;
use crate::home::Home;
use crate::server::Server;

/// The disk has 40 chunks with data.
pub(super) const FAILPOINTS: [&str; 13] = [
    "make.claimed",
    "make.chunk:1",
    "make.chunk:2",
    "make.chunk:17",
    "make.chunk:40",
    "make.chunks_durable",
    "make.manifest_durable",
    "store.chunk_put:1",
    "store.chunk_put:30",
    "store.synced",
    "store.manifest_put",
    "make.before_row",
    "make.after_row",
];

/// A home with an image that must survive, and an instance to create more from.
struct Scene {
    home: Home,
    kept: (String, Vec<u8>),
    source: Vec<u8>,
    kills: u32,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let (kept, source) = (disk::bytes(8, 100), disk::bytes(60, 200));
        home.add_instance("uhost-kept", &kept);
        home.add_instance("uhost-1", &source);
        let server = home.serve();
        let kept_id = home.make("uhost-kept", "kept");
        server.stop();
        Self { home, kept: (kept_id, kept), source, kills: 0 }
    }

    /// Creates an image while `kill` ends the server, and checks the state after a restart.
    fn crash(&mut self, name: &str, failpoint: &str, kill: impl FnOnce(&Server)) {
        let mut server = self.home.serve_with(&[], &[("JINGKU_FAILPOINT", failpoint)]);
        let made = self.home.json(&["image", "create", "--instance", "uhost-1", "--name", name]);
        kill(&server);
        assert_killed(server.wait(), name);
        self.kills += 1;
        self.recovered(name, made["CompShareImageId"].as_str().unwrap());
    }

    /// Asserts that both images have their bytes after a restart, and that name and instance can be used again.
    fn recovered(&self, name: &str, image_id: &str) {
        assert_intact(&self.home, &[], name);
        let server = self.home.serve();
        self.home.run(&["image", "progress", image_id, "--wait"]).succeeded();
        for (id, bytes) in [(image_id, &self.source), (self.kept.0.as_str(), &self.kept.1)] {
            assert_eq!(self.home.json(&["image", "show", id])["Status"], "Available", "{name}");
            assert!(self.home.bytes(id) == *bytes, "{name}: wrong bytes");
        }
        self.home.run(&["image", "delete", image_id]).succeeded();
        let again = self.home.make("uhost-1", name);
        self.home.run(&["image", "delete", &again]).succeeded();
        // The next image has to write all its chunks.
        self.home.run(&["trash", "empty"]).succeeded();
        self.home.run(&["sweep"]).succeeded();
        server.stop();
    }
}

#[test]
fn an_image_survives_kills_at_every_failpoint() {
    let mut scene = Scene::new();
    for failpoint in FAILPOINTS {
        scene.crash(&failpoint.replace(':', "-"), failpoint, |_| {});
    }
    println!("{} kills at failpoints", scene.kills);
}

/// At times from before the job is claimed to after it is done.
#[test]
fn an_image_survives_kills_at_any_time() {
    let mut scene = Scene::new();
    for moment in 0..number("JINGKU_CRASH_ROUNDS", 8) {
        scene.crash(&format!("moment-{moment}"), "", |server| {
            thread::sleep(Duration::from_millis(moment * moment % 150));
            server.signal(Signal::KILL);
        });
    }
    println!("{} kills at any time", scene.kills);
}
