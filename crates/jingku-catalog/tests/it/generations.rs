//! The generation while other processes commit, check-point and compact the file, and are killed at any moment.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jingku_catalog::Catalog;
use rusqlite::Connection;

use crate::setting::account;

/// Names the file for [`a_writer_runs_until_it_is_killed`], which this program runs in other processes.
const FILE: &str = "JINGKU_TEST_CATALOG";
const WRITERS: usize = 12;
/// Values that are read while one writer runs.
const VALUES: usize = 150;

#[test]
fn a_writer_runs_until_it_is_killed() {
    let Some(path) = env::var_os(FILE) else { return };
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    for number in 1_u64.. {
        connection
            .execute_batch("BEGIN IMMEDIATE; UPDATE accounts SET revision = revision + 1 WHERE id = 1")
            .unwrap();
        connection.execute_batch(if number.is_multiple_of(7) { "ROLLBACK" } else { "COMMIT" }).unwrap();
        if number.is_multiple_of(41) {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }
        if number.is_multiple_of(97) {
            // Fails while another process reads.
            let _ = connection.execute_batch("VACUUM");
        }
    }
}

fn start_writer(path: &Path) -> Child {
    let test = "generations::a_writer_runs_until_it_is_killed";
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test]).env(FILE, path).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[tokio::test]
async fn what_was_read_at_a_generation_is_current_while_it_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    let owner = account(&catalog, "lab").await.id;
    let mut seen = HashMap::new();
    for number in 1..=WRITERS {
        let (mut writer, mut other) = (start_writer(&path), start_writer(&path));
        while seen.len() < number * VALUES {
            let before = catalog.generation();
            let value = catalog.account_revision(owner).await.unwrap().unwrap();
            let after = catalog.generation();
            if before.is_some() && before == after {
                let known = *seen.entry(format!("{before:?}")).or_insert(value);
                assert_eq!(known, value, "the generation did not change with a commit");
            }
            assert!(writer.try_wait().unwrap().is_none(), "the writer has ended");
        }
        for process in [&mut writer, &mut other] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
    assert_eq!(catalog.check(true).await.unwrap(), Vec::<String>::new());
}
