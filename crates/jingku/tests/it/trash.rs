//! `jingku trash`, with and without a running server, and killed at every durable step.

use std::collections::BTreeSet;

use serde_json::json;

use crate::crash::{assert_intact, assert_killed};
use crate::disk;
use crate::home::{Home, ids};

/// Where a command is killed. Three images are in the trash.
pub(crate) const FAILPOINTS: [&str; 8] = [
    "trash.before_restore",
    "trash.after_restore",
    "trash.before_purge:1",
    "trash.before_purge:2",
    "trash.before_purge:3",
    "trash.after_purge:1",
    "trash.after_purge:2",
    "trash.after_purge:3",
];

/// As a tenant does, through the API.
#[test]
fn a_tenant_restores_and_purges_its_own_images() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(5, 1));
    let _server = home.serve();
    assert_eq!(home.json(&["image", "trash", "list"]), json!([]));
    let made = [home.make("uhost-1", "one"), home.make("uhost-1", "two")];
    for id in &made {
        home.run(&["image", "delete", id]).succeeded();
    }
    let trash = home.json(&["image", "trash", "list"]);
    assert_eq!((&trash[0]["Name"], &trash[1]["Name"]), (&json!("two"), &json!("one")), "{trash}");
    assert!(home.run(&["image", "trash", "list"]).succeeded().out.contains(&made[0]));
    let restored = home.run(&["image", "trash", "restore", &made[0], "--name", "three"]).succeeded().out;
    assert_eq!(restored, "Restored 1 image, private.\n");
    assert_eq!(home.json(&["image", "show", &made[0]])["Name"], "three");
    assert_eq!(home.run(&["image", "trash", "restore", "image-none"]).code, Some(3));
    assert_eq!(home.run(&["image", "trash", "empty", &made[1], "image-none"]).code, Some(3));
    assert_eq!(home.json(&["image", "trash", "empty"]), json!({ "PurgedCount": 1 }));
    assert_eq!(home.json(&["trash", "list"]), json!([]));
}

#[test]
fn a_deleted_image_is_restored_unchanged() {
    let home = Home::new();
    let bytes = disk::bytes(5, 1);
    home.add_instance("uhost-1", &bytes);
    let server = home.serve();
    let id = home.make("uhost-1", "env");
    let facts = ["--description", "CUDA 12", "--tag", "vLLM", "--readme", "Read me."];
    home.run(&[&["image", "update", &id], &facts[..]].concat()).succeeded();
    let before = home.json(&["image", "show", &id]);
    assert_eq!(home.json(&["trash", "list"]), json!([]));
    home.run(&["image", "delete", &id]).succeeded();
    let trash = home.json(&["trash", "list"]);
    assert_eq!((&trash[0]["Name"], &trash[0]["Status"]), (&json!("env"), &json!("Available")), "{trash}");
    assert_eq!(trash[0]["Bytes"], bytes.len(), "{trash}");
    assert!(home.run(&["trash", "list"]).succeeded().out.contains(&id));

    // Another image can take its name; it is then restored under a new one.
    let other = home.make("uhost-1", "env");
    let command = format!("jingku trash restore {id} --name");
    home.refuses(
        &["trash", "restore", &id],
        1,
        &["is named \"env\" now", &command],
        &["另一个镜像名为 \"env\"", &command],
    );
    home.refuses(
        &["trash", "restore", &id, "--name", "a b"],
        1,
        &["cannot be the name"],
        &["不能用作镜像名称"],
    );
    home.run(&["image", "delete", &other]).succeeded();
    let said = home.run(&["trash", "restore", &id]).succeeded().out;
    assert_eq!(said, "Restored as env, private.\n");
    // The running server shows it at once, unchanged.
    let mut after = home.json(&["image", "show", &id]);
    after["UpdateTime"] = before["UpdateTime"].clone();
    assert_eq!(after, before);
    assert!(home.bytes(&id) == bytes);
    home.refuses(
        &["trash", "restore", &id],
        3,
        &["no image", "in the trash", "jingku trash list"],
        &["回收站中没有镜像"],
    );
    let back = home.json(&["trash", "restore", &other, "--name", "env-2"]);
    assert_eq!(back, json!({ "CompShareImageId": other, "Name": "env-2" }));
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 2);
    server.stop();
}

#[test]
fn emptying_the_trash_purges_images() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(2, 1));
    let server = home.serve();
    let images = ["a", "b", "c"].map(|name| home.make("uhost-1", name));
    for id in &images {
        home.run(&["image", "delete", id]).succeeded();
    }
    let empty = |args: &[&str]| home.json(&[&["trash", "empty"], args].concat())["Images"].clone();
    assert_eq!(empty(&["--older-than", "1h"]), 0);
    assert_eq!(empty(&["--dry-run"]), 3);
    assert!(home.run(&["trash", "empty", "--dry-run"]).succeeded().out.starts_with("3 images"));
    // With an unknown id, none is purged.
    home.refuses(&["trash", "empty", &images[0], "x"], 3, &["\"x\" in the trash"], &["没有镜像 \"x\""]);
    home.run(&["trash", "empty", "--older-than", "7"]).failed(2, &["7d"]);
    assert_eq!(ids(&home.json(&["trash", "list"])).len(), 3);
    assert_eq!(empty(&[&images[0], &images[0]]), 1);
    // Both may have been deleted in the same second, so their order is not fixed.
    let trash = home.json(&["trash", "list"]);
    assert_eq!(BTreeSet::from_iter(ids(&trash)), BTreeSet::from_iter(images[1..].to_vec()));
    server.stop();
    assert_eq!(empty(&[]), 2);
    assert_eq!(home.json(&["trash", "list"]), json!([]));
}

#[test]
fn the_trash_survives_kills_at_every_step() {
    let home = Home::new();
    let bytes = disk::bytes(3, 1);
    home.add_instance("uhost-1", &bytes);
    for failpoint in FAILPOINTS {
        let server = home.serve();
        let images = ["a", "b", "c"].map(|name| home.make("uhost-1", name));
        for id in &images {
            home.run(&["image", "delete", id]).succeeded();
        }
        let restore = ["trash", "restore", &images[0]];
        let restores = failpoint.ends_with("restore");
        let mut command = home.command(if restores { &restore } else { &["trash", "empty"] });
        let status = command.env("JINGKU_FAILPOINT", failpoint).status().unwrap();
        assert_killed(status, failpoint);
        assert_intact(&home, &[], failpoint);

        // Every image is intact and in one place: listed, in the trash, or purged.
        let (listed, trash) = (home.json(&["image", "list"]), home.json(&["trash", "list"]));
        let left = ids(&trash).len();
        let (back, expected) = match failpoint {
            "trash.before_restore" | "trash.before_purge:1" => (0, 3),
            "trash.after_restore" => (1, 2),
            "trash.before_purge:2" | "trash.after_purge:1" => (0, 2),
            "trash.before_purge:3" | "trash.after_purge:2" => (0, 1),
            _ => (0, 0),
        };
        assert_eq!((&listed["TotalCount"], left), (&json!(back), expected), "{failpoint}");
        for id in &ids(&trash) {
            home.run(&["trash", "restore", id]).succeeded();
        }
        for id in &ids(&home.json(&["image", "list"])["ImageSet"]) {
            assert!(home.bytes(id) == bytes, "{failpoint}: wrong bytes");
            home.run(&["image", "delete", id]).succeeded();
        }
        home.run(&["trash", "empty"]).succeeded();
        server.stop();
    }
    println!("{} kills in the trash", FAILPOINTS.len());
}
