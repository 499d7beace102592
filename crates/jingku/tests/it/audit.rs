//! `jingku audit`, and what an outsider can verify from its output.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::crash::assert_killed;
use crate::disk;
use crate::home::Home;

/// The chain by the definition in docs/operate/audit.md, from the listed entries, newest first.
fn verify_as_outsider(entries: &Value) {
    let names = [
        "Previous",
        "Seq",
        "Time",
        "AccountId",
        "Channel",
        "PublicKey",
        "Address",
        "Action",
        "Subject",
        "RetCode",
        "RequestId",
    ];
    let mut newer: Option<&Value> = None;
    for entry in entries.as_array().unwrap() {
        let field = |name| entry[name].as_str().map_or_else(|| entry[name].to_string(), str::to_owned);
        let mut text = "14:jingku-audit-1,".to_owned();
        for name in names {
            write!(text, "{}:{},", field(name).len(), field(name)).unwrap();
        }
        let hash = hex::encode(Sha256::digest(text));
        assert_eq!(entry["Hash"], hash, "{entry}");
        if let Some(newer) = newer {
            assert_eq!(newer["Previous"], entry["Hash"], "{entry}");
            assert_eq!(newer["Seq"].as_i64(), entry["Seq"].as_i64().map(|seq| seq + 1));
        }
        newer = Some(entry);
    }
}

/// A home with some changes of an image, and its id.
fn home() -> (Home, String) {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(4, 1));
    let server = home.serve();
    let id = home.make("uhost-1", "env");
    home.run(&["image", "update", &id, "--description", "CUDA 12"]).succeeded();
    home.run(&["image", "delete", "compshareImage-none"]).failed(3, &[]);
    home.run(&["image", "delete", &id]).succeeded();
    server.stop();
    home.run(&["trash", "restore", &id]).succeeded();
    (home, id)
}

#[test]
fn the_log_is_listed_filtered_and_verified_by_anyone() {
    let (home, id) = home();
    let all = home.json(&["audit", "list", "--limit", "10000"]);
    verify_as_outsider(&all);
    let list = |args: &[&str]| home.json(&[&["audit", "list"], args].concat());
    let column = |entries: &Value, name: &str| -> Vec<String> {
        entries.as_array().unwrap().iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
    };
    let of_image = list(&["--image", &id]);
    assert_eq!(
        column(&of_image, "Action"),
        [
            "trash restore",
            "TerminateCompShareCustomImage",
            "UpdateCompShareImage",
            "CreateCompShareCustomImage",
        ]
    );
    assert_eq!(column(&of_image, "Channel"), ["command", "api", "api", "api"]);
    assert_eq!(column(&of_image, "Address"), ["", "127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    let failed = list(&["--result", "failed"]);
    assert_eq!((&failed[0]["RetCode"], &failed[0]["Subject"]), (&json!(8039), &json!("compshareImage-none")));
    assert_eq!(list(&["--result", "8039", "--account", "1"]), failed);
    assert_eq!(list(&["--result", "8039", "--account", "2"]), json!([]));
    assert_eq!(column(&list(&["--action", "account create"]), "Subject"), ["default"]);
    assert_eq!(list(&["--limit", "1"]), json!([all[0]]));
    assert_eq!(list(&["--since", "1h", "--limit", "10000"]), all);
    assert_eq!(list(&["--until", "1h"]), json!([]));
    let table = home.run(&["audit", "list"]).succeeded().out;
    assert!(table.contains("trash restore") && table.contains(&id) && table.contains("8039"), "{table}");

    let verified = home.json(&["audit", "verify"]);
    let entries = all.as_array().unwrap().len();
    assert_eq!((&verified["Intact"], &verified["Entries"]), (&json!(true), &json!(entries)), "{verified}");
    let head = verified["Head"].as_str().unwrap();
    assert_eq!(head, format!("{}:{}", all[0]["Seq"], all[0]["Hash"].as_str().unwrap()));
    home.run(&["account", "create", "other"]).succeeded();
    let said = home.run(&["audit", "verify", "--from", head]).succeeded().out;
    assert!(said.contains("The audit log is intact."), "{said}");
    home.run(&["audit", "verify", "--from", "1:x"]).failed(2, &["audit verify"]);
}

#[test]
fn tampering_is_reported_with_exit_code_6() {
    let (home, _) = home();
    if !home.data().join("catalog.db").exists() {
        // The suite of the catalogue covers databases.
        return;
    }
    let noted = home.json(&["audit", "verify"])["Head"].as_str().unwrap().to_owned();
    let last: i64 = noted.split_once(':').unwrap().0.parse().unwrap();
    let tamper = |sql: &str| {
        let catalog = rusqlite::Connection::open(home.data().join("catalog.db")).unwrap();
        catalog.execute_batch(sql).unwrap();
    };
    tamper("UPDATE audit_entries SET subject = 'another' WHERE seq = 3");
    home.run(&["audit", "verify"]).failed_with_output(6);
    let said = home.run(&["audit", "verify", "--lang", "zh"]).failed_with_output(6);
    assert!(said.out.contains("第 3 条记录被修改") && said.err.contains("1 个问题"), "{said:?}");
    tamper(&format!("DELETE FROM audit_entries WHERE seq = {last}"));
    let said = home.run(&["audit", "verify"]).failed_with_output(6);
    assert!(said.out.contains("Entry 3 was changed."), "{said:?}");
    assert!(said.out.contains(&format!("Entries {last} to {last} are missing.")), "{said:?}");
    // A log that starts anew is whole, but not the one of the note.
    tamper("DELETE FROM audit_entries; UPDATE audit_head SET entries = 0, hash = ''");
    home.run(&["account", "create", "other"]).succeeded();
    home.run(&["audit", "verify"]).succeeded();
    home.run(&["audit", "verify", "--from", &noted]).failed_with_output(6);
}

#[test]
fn a_backup_has_the_log_of_its_moment() {
    let (home, id) = home();
    home.run(&["backup", "backup"]).succeeded();
    let head = home.json(&["audit", "verify"])["Head"].clone();
    home.run(&["image", "promote", &id, "--type", "App"]).succeeded();
    let restored = home.path("restored");
    let restored = ["--data-dir", restored.to_str().unwrap()];
    home.run(&[&["restore", "backup"][..], &restored].concat()).succeeded();
    let verify = [&["audit", "verify"], &restored[..]].concat();
    assert_eq!(home.json(&verify)["Head"], head);
    // The note of a later moment shows that the catalogue is an older one.
    let later = home.json(&["audit", "verify"])["Head"].as_str().unwrap().to_owned();
    home.run(&[&verify[..], &["--from", &later]].concat()).failed_with_output(6);
}

/// Clients change images until the server is killed. Every change that was acknowledged has its entry.
#[test]
fn an_acknowledged_change_has_its_entry_despite_kills() {
    const CLIENTS: usize = 4;
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(4, 1));
    let server = home.serve();
    let images: Vec<_> = (0..CLIENTS).map(|number| home.make("uhost-1", &format!("env-{number}"))).collect();
    server.stop();
    let count = |id: &str, home: &Home| {
        let args = ["audit", "list", "--image", id, "--action", "UpdateCompShareImage", "--limit", "100000"];
        home.json(&args).as_array().unwrap().len()
    };
    let mut acknowledged = [0; CLIENTS];
    for round in 0..3_u64 {
        let mut server = home.serve();
        let killed = AtomicBool::new(false);
        thread::scope(|scope| {
            for (id, acknowledged) in images.iter().zip(&mut acknowledged) {
                let (home, killed) = (&home, &killed);
                scope.spawn(move || {
                    for number in 0.. {
                        let description = format!("{round} {number}");
                        let updated = home.run(&["image", "update", id, "--description", &description]);
                        if killed.load(Ordering::SeqCst) && updated.code != Some(0) {
                            break;
                        }
                        *acknowledged += usize::from(updated.code == Some(0));
                    }
                });
            }
            thread::sleep(Duration::from_millis(700 + 300 * round));
            killed.store(true, Ordering::SeqCst);
            server.signal(Signal::KILL);
        });
        assert_killed(server.wait(), "load");
        home.run(&["audit", "verify"]).succeeded();
        for (id, acknowledged) in images.iter().zip(acknowledged) {
            let entries = count(id, &home);
            // In each round, at most one change was made and not acknowledged.
            let most = acknowledged + usize::try_from(round).unwrap() + 1;
            assert!((acknowledged..=most).contains(&entries), "{id}: {acknowledged} and {entries} entries");
        }
    }
    assert!(acknowledged.iter().all(|count| *count > 0), "{acknowledged:?}");
}
