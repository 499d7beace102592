//! `jingku usage`, compared with the sizes of the files in the store.

use serde_json::{Value, json};

use crate::disk::{self, CHUNK};
use crate::home::{Home, files_below, until};

/// The bytes and the number of the files of chunks and manifests.
fn stored(home: &Home) -> (u64, u64) {
    let mut files = files_below(home.data().join("store/chunks"));
    files.extend(files_below(home.data().join("store/manifests")));
    (files.values().map(|bytes| bytes.len() as u64).sum(), files.len() as u64)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn total(usage: &Value, name: &str) -> u64 {
    number(&usage[name]["StoredBytes"])
}

fn image<'a>(usage: &'a Value, id: &str) -> &'a Value {
    usage["Images"].as_array().unwrap().iter().find(|image| image["CompShareImageId"] == id).unwrap()
}

#[test]
fn shared_chunks_are_counted_once() {
    let home = Home::new();
    let first = disk::bytes(6, 1);
    let mut second = first.clone();
    disk::noise(77, &mut second[..CHUNK]);
    home.add_instance("uhost-1", &first);
    home.add_instance("uhost-2", &second);
    let server = home.serve();
    let a = home.make("uhost-1", "a");
    let (alone, _) = stored(&home);
    let usage = home.json(&["usage"]);
    let one = image(&usage, &a);
    assert_eq!((number(&one["StoredBytes"]), number(&one["UniqueBytes"])), (alone, alone), "{usage}");
    assert_eq!(number(&one["LogicalBytes"]), first.len() as u64);
    assert_eq!((total(&usage, "Trash"), total(&usage, "Garbage")), (0, 0));

    // The second image has one chunk and a manifest of its own; the third is equal to it.
    let b = home.make("uhost-2", "b");
    let (both, objects) = stored(&home);
    let usage = home.json(&["usage"]);
    assert_eq!(number(&usage["Live"]["Objects"]), objects);
    assert_eq!(total(&usage, "Live"), both, "{usage}");
    let (one, two) = (image(&usage, &a), image(&usage, &b));
    assert_eq!(number(&two["UniqueBytes"]), both - alone);
    assert!(number(&one["UniqueBytes"]) < number(&one["StoredBytes"]));
    let shared = number(&one["StoredBytes"]) - number(&one["UniqueBytes"]);
    assert_eq!(shared, number(&two["StoredBytes"]) - number(&two["UniqueBytes"]));
    let c = home.make("uhost-2", "c");
    let usage = home.json(&["usage"]);
    assert_eq!((total(&usage, "Live"), number(&image(&usage, &b)["UniqueBytes"])), (both, 0));

    // Deleted images count as trash, purged ones as garbage.
    for id in [&b, &c] {
        home.run(&["image", "delete", id]).succeeded();
    }
    let usage = home.json(&["usage"]);
    assert_eq!((total(&usage, "Live"), total(&usage, "Trash")), (alone, both - alone), "{usage}");
    assert_eq!((&image(&usage, &b)["InTrash"], &usage["Trash"]["Images"]), (&json!(true), &json!(2)));
    home.run(&["trash", "empty"]).succeeded();
    let usage = home.json(&["usage"]);
    assert_eq!((total(&usage, "Trash"), total(&usage, "Garbage")), (0, both - alone), "{usage}");
    assert_eq!(usage["MissingChunks"], 0);
    let table = home.run(&["usage"]).succeeded().out;
    assert!(table.contains(&a) && table.contains("garbage"), "{table}");
    server.stop();
}

#[test]
fn missing_chunks_and_manifests_are_reported() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(4, 1));
    home.add_instance("uhost-2", &disk::bytes(4, 2));
    let server = home.serve();
    let (a, b) = (home.make("uhost-1", "a"), home.make("uhost-2", "b"));
    server.stop();
    let chunks = files_below(home.data().join("store/chunks"));
    std::fs::remove_file(chunks.keys().next().unwrap()).unwrap();
    assert_eq!(home.json(&["usage"])["MissingChunks"], 1);
    let manifests = files_below(home.data().join("store/manifests"));
    std::fs::remove_file(manifests.keys().next().unwrap()).unwrap();
    let usage = home.json(&["usage"]);
    let damaged = [&a, &b].map(|id| image(&usage, id)["Damaged"].as_bool().unwrap());
    assert!(damaged[0] != damaged[1], "{usage}");
    let said = home.run(&["usage", "--lang", "zh"]).succeeded();
    assert!(said.err.contains("缺失") && said.out.contains("已损坏"), "{said:?}");
}

/// A tenant sees its limits at once, and its images once they are measured.
#[test]
fn an_account_sees_its_use_and_limits() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(6, 1));
    let server = home.serve();
    let shown = home.run(&["image", "usage"]).succeeded();
    assert!(shown.out.contains("images in progress") && shown.err.contains("within minutes"), "{shown:?}");
    let id = home.make("uhost-1", "a");
    let find = |limits: &serde_json::Value, name: &str| {
        limits.as_array().unwrap().iter().find(|limit| limit["Name"] == name).cloned()
    };
    assert_eq!(find(&home.json(&["image", "usage"])["LimitSet"], "UniqueBytes"), None);
    home.run(&["account", "limit", "1", "--images", "7", "--transfers", "3", "--unique-bytes", "9GB"])
        .succeeded();
    let limits = home.json(&["image", "usage"])["LimitSet"].clone();
    let limit = |name: &str| find(&limits, name).unwrap();
    assert_eq!((&limit("Images")["Used"], &limit("Images")["Max"]), (&json!(1), &json!(7)));
    assert_eq!(limit("Transfers")["Max"], 3);
    // Accounts are measured every ten minutes, and at the start.
    drop(server);
    let _server = home.serve();
    until("the account is measured", || home.json(&["image", "usage"])["MeasureTime"] != 0);
    let usage = home.json(&["image", "usage"]);
    let unique = find(&usage["LimitSet"], "UniqueBytes").unwrap();
    assert_eq!((&unique["Used"], &unique["Max"]), (&usage["Current"]["StoredBytes"], &json!(9_i64 << 30)));
    assert!(unique["Used"].as_i64().unwrap() > 0);
    let shown = home.run(&["image", "usage"]).succeeded();
    assert!(shown.out.contains(&id) && shown.err.contains("Measured at"), "{shown:?}");
    assert!(shown.out.contains("deduplicated image data"), "{shown:?}");
    let chinese = home.run(&["image", "usage", "--lang", "zh"]).succeeded();
    assert!(chinese.out.contains("制作中的镜像") && chinese.err.contains("统计于"), "{chinese:?}");
}
