//! A backup killed at any durable step keeps its content.

use super::{Scene, data, generations};
use crate::crash::{assert_intact, assert_killed};
use crate::disk;

/// Where the commands are killed. The second backup has 4 new chunks, and all have 8.
pub(crate) const FAILPOINTS: [&str; 18] = [
    "backup.chunk:1",
    "backup.chunk:3",
    "backup.chunks_durable",
    "backup.manifests_durable",
    "backup.catalog_durable",
    "backup.recorded",
    "backup.generation_removed",
    "backup.swept_a_part",
    "backup.done",
    "backup.adopted",
    "restore.marked",
    "restore.chunk:1",
    "restore.chunk:4",
    "restore.chunk:7",
    "restore.chunks_durable",
    "restore.manifests_durable",
    "restore.catalog_durable",
    "restore.done",
];

#[test]
fn a_backup_survives_kills_at_every_step() {
    let scene = Scene::new();
    let home = &scene.home;
    scene.two_images();
    home.add_instance("uhost-3", &disk::bytes(6, 3));
    let (mut kills, mut number) = (0, 0);
    let mut kill = |args: &[&str], failpoint: &str| {
        let mut command = home.command(args);
        let status = command.env("JINGKU_FAILPOINT", failpoint).status().unwrap();
        assert_killed(status, failpoint);
        kills += 1;
    };
    // From the third round on there is a generation to remove.
    let back_up = ["backup", scene.dir(), "--with-master-key", "--keep", "2"];
    let backups = |name: &&&str| name.starts_with("backup") && **name != "backup.adopted";
    for failpoint in FAILPOINTS.iter().filter(backups) {
        home.run(&back_up).succeeded();
        let before = scene.content(&data(home));
        let server = home.serve();
        // New bytes, so that there is something to copy.
        number += 1;
        let disk = home.path("uhost-3.raw");
        std::fs::remove_file(&disk).unwrap();
        disk::write(&disk, &disk::bytes(6, 100 + number));
        home.run(&["instance", "remove", "uhost-3"]).succeeded();
        home.add_disk("uhost-3", &disk);
        home.make("uhost-3", &format!("c{number}"));
        server.stop();
        let after = scene.content(&data(home));
        kill(&back_up, failpoint);
        // The previous backup is intact, or the new one is complete.
        let restored = scene.restored(&format!("killed-{number}"));
        let done = ["backup.recorded", "backup.generation_removed", "backup.swept_a_part", "backup.done"];
        let expected = if done.contains(failpoint) { &after } else { &before };
        assert!(restored == *expected, "{failpoint}");
        for generation in scene.generations() {
            let name = format!("killed-{number}-{generation}");
            scene.restored_with(&name, &["--at", &generation.to_string()]);
        }
    }
    scene.back_up();
    let original = scene.content(&data(home));
    for failpoint in FAILPOINTS.iter().filter(|name| name.starts_with("restore")) {
        let to = home.path("killed");
        let to = to.to_str().unwrap();
        kill(&scene.restore(to, &[]), failpoint);
        let list = home.run(&["key", "list", "--data-dir", to]);
        if *failpoint == "restore.done" {
            list.succeeded();
            home.run(&scene.restore(to, &[])).failed(1, &["is not empty"]);
        } else {
            list.failed(3, &["is incomplete"]);
            home.run(&scene.restore(to, &[])).succeeded();
        }
        assert!(scene.content(to) == original, "{failpoint}");
        assert_intact(home, &["--data-dir", to], failpoint);
        std::fs::remove_dir_all(to).unwrap();
    }
    let old = generations::backup_of_an_earlier_version();
    let mut command = old.home.command(&old.back_up_line());
    assert_killed(command.env("JINGKU_FAILPOINT", "backup.adopted").status().unwrap(), "backup.adopted");
    old.assert_converted();
    assert_eq!(kills + 1, FAILPOINTS.len());
    println!("{kills} kills in backups");
}
