//! `jingku sweep` removes unreferenced chunks, and only those: beside a running server, and when killed at any step.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::disk;
use crate::home::{Home, files_below, until};

/// Where a command or a server is killed. The garbage is 8 chunks, one of them marked as corrupted, and 2 manifests.
pub(crate) const FAILPOINTS: [&str; 18] = [
    "sweep.before_step:1",
    "sweep.before_step:3",
    "sweep.after_step:1",
    "sweep.after_step:2",
    "sweep.after_step:4",
    "store.manifest_deleted:1",
    "store.manifest_deleted:2",
    "store.synced",
    "store.chunk_deleted:1",
    "store.chunk_deleted:5",
    "store.chunk_deleted:8",
    "store.note_deleted",
    "sweep.done",
    "store.note_put",
    "store.chunk_put",
    "store.manifest_put",
    "scrub.before_place",
    "scrub.after_place",
];

/// Where the server is killed right after its start.
const OF_THE_SERVER: [&str; 2] = ["scrub.before_place", "scrub.after_place"];

/// The number and the bytes of the files of chunks and manifests.
fn stored(home: &Home) -> (u64, u64) {
    let mut files = files_below(home.data().join("store/chunks"));
    files.extend(files_below(home.data().join("store/manifests")));
    (files.len() as u64, files.values().map(|bytes| bytes.len() as u64).sum())
}

#[test]
fn unreferenced_chunks_are_removed_and_counted() {
    let home = Home::new();
    let (kept, gone) = (disk::bytes(5, 1), disk::bytes(5, 2));
    home.add_instance("uhost-1", &kept);
    home.add_instance("uhost-2", &gone);
    let server = home.serve();
    let a = home.make("uhost-1", "a");
    let before = stored(&home);
    let b = home.make("uhost-2", "b");
    home.run(&["image", "delete", &b]).succeeded();
    let all = stored(&home);
    assert_eq!(home.json(&["sweep"])["Files"], 0, "the trash references its chunks");
    home.run(&["trash", "empty"]).succeeded();
    let foreseen = home.json(&["sweep", "--dry-run"]);
    let (files, bytes) = (all.0 - before.0, all.1 - before.1);
    assert_eq!(
        foreseen,
        json!({ "Files": files, "Chunks": files - 1, "Manifests": 1, "Bytes": bytes,
                                 "ChunksSeen": all.0 - 2, "DryRun": true })
    );
    let said = home.run(&["sweep", "--dry-run"]).succeeded().out;
    assert!(said.starts_with(&format!("{files} files of ")) && said.contains("would be removed"), "{said}");
    assert_eq!(stored(&home), all);
    let swept = home.json(&["sweep"]);
    assert_eq!((&swept["Files"], &swept["Bytes"]), (&foreseen["Files"], &foreseen["Bytes"]));
    assert_eq!(stored(&home), before);
    assert!(home.bytes(&a) == kept);
    assert_eq!(home.json(&["usage"])["Garbage"]["StoredBytes"], 0);
    assert_eq!(home.json(&["check", "--status"])["Sweep"]["Files"], files);
    server.stop();
    assert!(home.run(&["sweep", "--lang", "zh"]).succeeded().out.contains("已删除 0 个文件"));
    home.refuses(&["sweep", "--data-dir", "nowhere"], 3, &["no data directory"], &["没有数据目录"]);
}

#[test]
fn a_server_sweeps_after_the_trash_expired() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(5, 1));
    let server = home.serve();
    let a = home.make("uhost-1", "a");
    home.run(&["image", "delete", &a]).succeeded();
    server.stop();
    let config = home.path("config.toml");
    std::fs::write(&config, "[trash]\nkeep_days = 0\n").unwrap();
    let server = home.serve_with(&["--config", config.to_str().unwrap()], &[]);
    until("everything is removed", || stored(&home) == (0, 0));
    until("it is logged", || server.log().contains("swept the store"));
    server.stop();
}

/// An image to keep, and instances for two images to purge.
struct Scene {
    home: Home,
    kept: String,
    bytes: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let bytes = disk::bytes(5, 1);
        home.add_instance("uhost-1", &bytes);
        for (id, seed) in [("uhost-2", 2), ("uhost-3", 3)] {
            home.add_instance(id, &disk::bytes(6, seed));
        }
        let server = home.serve();
        let kept = home.make("uhost-1", "kept");
        server.stop();
        Self { home, kept, bytes }
    }

    /// Leaves garbage, with a corrupted chunk.
    fn litter(&self) {
        let server = self.home.serve();
        let needed = files_below(self.home.data().join("store/chunks"));
        for instance in ["uhost-2", "uhost-3"] {
            let id = self.home.make(instance, instance);
            self.home.purge(&id);
        }
        server.stop();
        let chunks = files_below(self.home.data().join("store/chunks"));
        let (path, bytes) = chunks.into_iter().find(|(path, _)| !needed.contains_key(path)).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }

    /// Asserts that the image has its bytes, and that the next sweep leaves nothing else.
    fn assert_intact(&self, after: &str) {
        let report = self.home.run(&["check", "--read-data", "--json"]).succeeded();
        let report: Value = serde_json::from_str(&report.out).unwrap();
        assert_eq!(report["Clean"], true, "{after}: {report}");
        let server = self.home.serve();
        assert!(self.home.bytes(&self.kept) == self.bytes, "{after}");
        self.home.run(&["sweep"]).succeeded();
        let usage = self.home.json(&["usage"]);
        assert_eq!(
            (&usage["Garbage"]["Objects"], &usage["MissingChunks"]),
            (&json!(0), &json!(0)),
            "{after}"
        );
        assert_eq!(self.home.json(&["check"])["DamagedSpareObjects"], 0, "{after}");
        server.stop();
    }

    /// Runs a command until it dies at a failpoint.
    fn kill(&self, failpoint: &str, args: &[&str]) {
        let mut command = self.home.command(args);
        let ended = crate::home::Ended::of(command.env("JINGKU_FAILPOINT", failpoint));
        assert_eq!(ended.code, None, "{failpoint} was not reached: {ended:?}");
    }
}

#[test]
fn a_sweep_survives_kills_at_every_step() {
    let scene = Scene::new();
    let mut kills = 0;
    let places = FAILPOINTS.iter().filter(|name| name.starts_with("sweep.") || name.contains("_deleted"));
    for failpoint in places.chain(["store.synced"].iter()) {
        scene.litter();
        // The mark of a corrupted chunk is removed with it.
        scene.home.run(&["check"]).succeeded();
        scene.kill(failpoint, &["sweep"]);
        scene.assert_intact(failpoint);
        kills += 1;
    }
    scene.litter();
    scene.kill("store.note_put", &["check"]);
    scene.assert_intact("store.note_put");
    for failpoint in ["store.chunk_put", "store.manifest_put"] {
        let mut server = scene.home.serve_with(&[], &[("JINGKU_FAILPOINT", failpoint)]);
        scene.home.run(&["image", "create", "--instance", "uhost-2", "--name", failpoint]);
        assert_eq!(server.wait().signal(), Some(Signal::KILL.as_raw()), "{failpoint}");
        let server = scene.home.serve();
        let images = scene.home.json(&["image", "list"])["ImageSet"].clone();
        let id = images[0]["CompShareImageId"].as_str().unwrap();
        scene.home.run(&["image", "progress", id, "--wait"]).succeeded();
        scene.home.purge(id);
        server.stop();
        scene.assert_intact(failpoint);
    }
    for failpoint in OF_THE_SERVER {
        let _ = std::fs::remove_file(scene.home.data().join("scrub"));
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        let mut command = scene.home.command(&serve);
        let ended = crate::home::Ended::of(command.env("JINGKU_FAILPOINT", failpoint));
        assert_eq!(ended.code, None, "{failpoint} was not reached: {ended:?}");
        scene.assert_intact(failpoint);
    }
    println!("{} kills of sweep, scrub and check", kills + 3 + OF_THE_SERVER.len());
}
