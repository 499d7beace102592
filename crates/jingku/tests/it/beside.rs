//! Read-only commands beside a process that locks the catalogue, and without the master key.

use std::time::{Duration, Instant};

use crate::home::Home;

const READING: [&[&str]; 10] = [
    &["usage"],
    &["check"],
    &["account", "list"],
    &["account", "limit", "1"],
    &["key", "list"],
    &["instance", "list"],
    &["review", "list"],
    &["trash", "list"],
    &["trash", "empty", "--dry-run"],
    &["sweep", "--dry-run"],
];

/// How long SQLite waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[test]
fn reading_commands_do_not_wait_for_a_writer() {
    let home = Home::new();
    home.run(&["key", "create"]).succeeded();
    let writer = rusqlite::Connection::open(home.data().join("catalog.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE accounts SET revision = revision + 1").unwrap();
    let backup = home.path("backup");
    let backup: [&str; 2] = ["backup", backup.to_str().unwrap()];
    for args in READING.into_iter().chain([&backup[..]]) {
        let started = Instant::now();
        home.run(args).succeeded();
        // A command that waited could also fail.
        assert!(started.elapsed() < BUSY_TIMEOUT, "{args:?} took {:?}", started.elapsed());
    }
    writer.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn commands_that_decrypt_nothing_need_no_master_key() {
    let home = Home::new();
    let raw = home.path("disk.raw");
    crate::disk::write(&raw, &crate::disk::bytes(1, 1));
    let add = ["instance", "add", "--id", "uhost-1", "--disk", raw.to_str().unwrap()];
    home.run(&["key", "create"]).succeeded();
    let key = home.data().join("master.key");
    let elsewhere = home.path("kept-elsewhere");
    std::fs::rename(&key, &elsewhere).unwrap();
    home.run(&add).succeeded();
    for args in READING {
        home.run(args).succeeded();
    }
    for args in [
        &["trash", "empty"][..],
        &["sweep"],
        &["instance", "remove", "uhost-1"],
        &["backup", "backup"],
        &["check", "--status"],
    ] {
        home.run(args).succeeded();
    }
    assert!(!key.exists(), "no new key was created");
    home.run(&["key", "create"]).failed(6, &["master key"]);
    std::fs::write(&key, "nonsense").unwrap();
    for args in READING {
        home.run(args).succeeded();
    }
    std::fs::rename(&elsewhere, &key).unwrap();
    home.run(&["key", "create"]).succeeded();
}
