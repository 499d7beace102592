//! `jingku check`: corruption is found, reported with the affected images, and repaired by creating the image again.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::corruption::Corruption;
use crate::disk;
use crate::home::{Home, files_below, ids};
use crate::terminal;

fn objects(home: &Home, kind: &str) -> Vec<PathBuf> {
    files_below(home.data().join("store").join(kind)).into_keys().collect()
}

/// Runs a check that must find corruption, and returns its report.
fn found(home: &Home, args: &[&str]) -> Value {
    let ended = home.run(&[&["check", "--json"], args].concat());
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.err.contains("\"exit\":6"), "{ended:?}");
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn corrupted_chunks_and_manifests_are_found_and_repaired() {
    for kind in ["chunks", "manifests"] {
        for corruption in Corruption::ALL {
            let home = Home::new();
            let bytes = disk::bytes(4, 1);
            home.add_instance("uhost-1", &bytes);
            home.add_instance("uhost-2", &disk::bytes(4, 2));
            let server = home.serve();
            let hit = home.make("uhost-1", "hit");
            let first: Vec<PathBuf> = objects(&home, kind);
            let other = home.make("uhost-2", "other");
            assert_eq!(home.json(&["check"])["Clean"], true);
            corruption.apply(&first[0]);
            let what = format!("{corruption:?} of {kind}");

            // Lists still work; reading never returns wrong bytes.
            assert_eq!(home.json(&["image", "list"])["TotalCount"], 2, "{what}");
            let file = home.path("export.raw");
            let export = home.run(&["image", "export", &hit, "-o", file.to_str().unwrap()]);
            assert!(export.code != Some(0) && !file.exists(), "{what}: {export:?}");
            assert!(home.bytes(&other) == disk::bytes(4, 2), "{what}");

            // The quick check finds flipped bits in a chunk only after a reader has marked it.
            let report = found(&home, &[]);
            assert_eq!(ids(&report["DamagedImages"]), [hit.as_str()], "{what}: {report}");
            let report = found(&home, &["--read-data"]);
            assert_eq!(ids(&report["DamagedImages"]), [hit.as_str()], "{what}: {report}");
            assert_eq!(report["DamagedObjectCount"], 1, "{what}: {report}");
            let object = report["DamagedObjects"][0]["Object"].as_str().unwrap();
            let name = first[0].file_name().unwrap().to_str().unwrap();
            assert!(object.ends_with(name), "{what}: {report}");

            // No sweep while the references of an image are unknown.
            if kind == "manifests" {
                home.refuses(&["sweep"], 6, &["manifest cannot be read", "jingku check"], &["清单无法读取"]);
            }
            home.make("uhost-1", "again");
            assert_eq!(home.json(&["check", "--read-data"])["Clean"], true, "{what} is not repaired");
            assert!(home.bytes(&hit) == bytes, "{what}");
            assert!(!home.data().join("store/suspects").exists() || objects(&home, "suspects").is_empty());
            server.stop();
        }
    }
}

/// The server is stopped, as after a crash that corrupted the file system.
#[test]
fn corruption_of_the_catalogue_is_found() {
    for corruption in Corruption::ALL {
        let home = Home::new();
        home.add_instance("uhost-1", &disk::bytes(2, 1));
        let server = home.serve();
        home.make("uhost-1", "env");
        server.stop();
        let catalog = home.data().join("catalog.db");
        assert!(!home.data().join("catalog.db-wal").exists(), "everything is in the catalogue's file");
        let stored = objects(&home, "chunks");
        if corruption == Corruption::FlipBit {
            // In the free list of the first page: a changed value elsewhere cannot be detected.
            let mut bytes = fs::read(&catalog).unwrap();
            bytes[4096 + 3] ^= 0x40;
            fs::write(&catalog, bytes).unwrap();
        } else {
            corruption.apply(&catalog);
        }
        for args in [&["check"][..], &["check", "--read-data"], &["sweep"], &["image", "list"]] {
            let ended = home.run(args);
            // Reading may still work; check and sweep always report the corruption.
            let reads = args[0] == "image";
            assert!(reads || ended.code == Some(6), "{corruption:?} {args:?}: {ended:?}");
        }
        if matches!(corruption, Corruption::Delete | Corruption::Empty) {
            home.refuses(&["check"], 6, &["is gone or empty", "jingku restore"], &["丢失或为空"]);
            // A server does not create an empty catalogue, which would let a sweep remove every chunk.
            home.run(&["serve", "--listen", "127.0.0.1:0"]).failed(6, &["is gone or empty"]);
        }
        assert_eq!(objects(&home, "chunks"), stored, "{corruption:?}: chunks were removed");
    }
}

#[test]
fn the_report_names_corrupted_images_as_text_and_json() {
    let home = Home::new();
    home.refuses(&["check"], 3, &["no data directory"], &["没有数据目录"]);
    home.add_instance("uhost-1", &disk::bytes(4, 1));
    home.run(&["check"]).succeeded();
    let server = home.serve();
    let images = [home.make("uhost-1", "a"), home.make("uhost-1", "b")];
    home.run(&["image", "delete", &images[1]]).succeeded();
    let clean = home.run(&["check", "--read-data"]).succeeded();
    assert!(clean.out.contains("2 images, 1 manifests, 3 chunks; 3 fully verified"), "{clean:?}");
    assert!(clean.out.ends_with("No problems found.\n"), "{clean:?}");

    let chunk = &objects(&home, "chunks")[0];
    Corruption::FlipBit.apply(chunk);
    assert_eq!(home.json(&["check"])["Clean"], true, "nothing has read it yet");
    let ended = home.run(&["check", "--read-data"]);
    assert_eq!(ended.code, Some(6));
    for words in [images[0].as_str(), &images[1], "in the trash", "its bytes do not match its name"] {
        assert!(ended.out.contains(words), "{words} is not in {ended:?}");
    }
    assert!(
        ended.err.contains("2 images are corrupted") && ended.err.contains("jingku restore"),
        "{ended:?}"
    );
    let chinese = home.run(&["check", "--lang", "zh"]);
    assert!(chinese.out.contains("在回收站") && chinese.err.contains("2 个镜像已损坏"), "{chinese:?}");
    let report = found(&home, &[]);
    let image = report["DamagedImages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["CompShareImageId"] == images[0]);
    let image = image.unwrap();
    assert_eq!(
        (&image["Name"], &image["AccountId"], &image["InTrash"]),
        (&json!("a"), &json!(1), &json!(false))
    );
    let mut both = images.clone();
    both.sort();
    let mut needed_by = report["DamagedObjects"][0]["Images"].as_array().unwrap().clone();
    needed_by.sort_by_key(|id| id.as_str().unwrap().to_owned());
    assert_eq!(json!(needed_by), json!(both));
    // After the purge no image references it.
    for id in &images[..1] {
        home.run(&["image", "delete", id]).succeeded();
    }
    home.run(&["trash", "empty"]).succeeded();
    let report = home.json(&["check"]);
    assert_eq!((&report["Clean"], &report["DamagedSpareObjects"]), (&json!(true), &json!(1)));
    home.run(&["sweep"]).succeeded();
    assert_eq!(home.json(&["check"])["DamagedSpareObjects"], 0);
    server.stop();
}

#[test]
fn seven_subsets_cover_every_chunk() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(30, 1));
    let server = home.serve();
    home.make("uhost-1", "a");
    let parts = (1..=7).map(|nth| {
        let part = format!("{nth}/7");
        home.json(&["check", "--read-data", "--subset", &part])["ReadChunks"].as_u64().unwrap()
    });
    assert_eq!(parts.sum::<u64>(), 20);
    Corruption::FlipBit.apply(&objects(&home, "chunks")[7]);
    let part = |nth: u64| home.run(&["check", "--read-data", "--subset", &format!("{nth}/7")]).code;
    let first = (1..=7).find(|nth| part(*nth) == Some(6)).expect("one subset contains it");
    assert!(first <= 7);
    home.run(&["check", "--subset", "1/7"]).failed(2, &["--read-data"]);
    home.run(&["check", "--read-data", "--subset", "8/7"]).failed(2, &["1/7"]);
    home.run(&["check", "--status", "--read-data"]).failed(2, &["cannot be used"]);
    let (screen, code) = terminal::show(&home, &["check", "--read-data"], 80);
    assert!(screen.contains('%') && code == Some(6), "{screen}");
    server.stop();
}

#[test]
fn the_server_scrubs_and_reports_its_progress() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(12, 1));
    let status = home.json(&["check", "--status"]);
    assert_eq!(status, json!({ "Scrub": null, "Sweep": null }));
    let server = home.serve();
    let id = home.make("uhost-1", "a");
    let ended = || home.json(&["check", "--status"])["Scrub"]["EndedAt"].is_i64();
    crate::home::until("the first scrub has ended", ended);
    server.stop();
    let overview = home.run(&[]).succeeded().out;
    assert!(overview.contains("jingku check") && overview.contains("all intact"), "{overview}");

    // An interrupted scrub resumes, and finds the corruption after that position.
    let chunks = objects(&home, "chunks");
    Corruption::FlipBit.apply(&chunks[7]);
    let place = chunks[1].file_name().unwrap().to_str().unwrap();
    let prefix = u8::from_str_radix(&place[..2], 16).unwrap();
    let left = json!({ "started_at": 0, "ended_at": null, "chunks": 2, "bytes": 2, "rate": 0, "damaged_objects": 0,
                       "damaged_images": [], "next_prefix": prefix, "after": place, "previous_ended_at": null });
    fs::write(home.data().join("scrub"), left.to_string()).unwrap();
    assert!(home.run(&["check", "--status"]).succeeded().out.contains("% since"));
    let server = home.serve();
    crate::home::until("the scrub has ended", ended);
    let scrub = home.json(&["check", "--status"])["Scrub"].clone();
    assert_eq!(
        (&scrub["Chunks"], &scrub["DamagedObjects"]),
        (&json!(7), &json!(1)),
        "the corrupted chunk is not counted"
    );
    assert_eq!((&scrub["DamagedImages"], &scrub["Percent"]), (&json!([id]), &json!(100)));
    let log = server.log();
    assert!(log.contains("scrub found damage") && log.contains(&id), "{log}");
    let overview = home.run(&[]).succeeded().out;
    assert!(overview.contains("CORRUPTION FOUND") && overview.lines().count() <= 24, "{overview}");
    // The scrub has marked the chunk, so the quick check finds it, and a new image of the disk repairs it.
    assert_eq!(ids(&found(&home, &[])["DamagedImages"]), [id.as_str()]);
    home.make("uhost-1", "b");
    assert_eq!(home.json(&["check", "--read-data"])["Clean"], true);
    server.stop();
}

#[test]
fn the_scrub_can_be_turned_off() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(2, 1));
    let config = home.path("config.toml");
    fs::write(&config, "[scrub]\ndays = 0\n[sweep]\nevery_hours = 0\n").unwrap();
    let server = home.serve_with(&["--config", config.to_str().unwrap()], &[]);
    home.make("uhost-1", "a");
    server.stop();
    assert_eq!(home.json(&["check", "--status"]), json!({ "Scrub": null, "Sweep": null }));
}
