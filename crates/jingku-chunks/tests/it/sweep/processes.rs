//! Writers and sweepers in separate processes, killed at any moment.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use jingku_chunks::{Disk, Error, ManifestId, Store};

use super::{PLAN, assert_exactly};
use crate::sample::{self, noise};

const FOLDER: &str = "JINGKU_TEST_SWEEP_FOLDER";
const ROLE: &str = "JINGKU_TEST_SWEEP_ROLE";
const ROUNDS: u64 = 12;

fn store_path(folder: &Path) -> PathBuf {
    folder.join("store")
}

/// The catalogue: lines that add or delete a row.
fn record(folder: &Path, line: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(folder.join("rows")).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn rows(folder: &Path) -> BTreeMap<String, ManifestId> {
    let mut rows = BTreeMap::new();
    let text = fs::read_to_string(folder.join("rows")).unwrap_or_default();
    // Without the end of a line that is being written.
    let committed = text.rfind('\n').map_or("", |end| &text[..end]);
    for line in committed.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["add", row, id] => drop(rows.insert(row.to_owned(), id.parse().unwrap())),
            ["delete", row] => drop(rows.remove(row)),
            _ => panic!("{line:?}"),
        }
    }
    rows
}

/// A disk of chunks that other disks also have.
fn shared_disk(seed: u64) -> Vec<u8> {
    (0..12).flat_map(|n| noise(seed.wrapping_mul(31).wrapping_add(n * 7) % 40, 4096)).collect()
}

/// What a separate process does until it is killed.
#[test]
#[ignore = "run by the test below, as another process"]
fn act() {
    let (Some(folder), Ok(role)) = (env::var_os(FOLDER).map(PathBuf::from), env::var(ROLE)) else { return };
    let store = Store::new(Disk::open(store_path(&folder)).unwrap());
    for turn in 0_u64.. {
        if role == "sweep" {
            store.sweep(PLAN).run(&mut || Ok::<_, Error>(rows(&folder).into_values().collect())).unwrap();
            record_sweep(&folder);
            continue;
        }
        let written = sample::write(&store, &shared_disk(turn.wrapping_mul(17) + role.len() as u64)).unwrap();
        let row = format!("{role}-{turn}-{}", std::process::id());
        record(&folder, &format!("add {row} {}", written.manifest));
        drop(written);
        if turn % 3 != 0 {
            record(&folder, &format!("delete {row}"));
        }
    }
}

fn record_sweep(folder: &Path) {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join("sweeps"))
        .unwrap()
        .write_all(b".")
        .unwrap();
}

fn start(folder: &Path, role: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["sweep::processes::act", "--exact", "--ignored", "--nocapture"])
        .envs([(FOLDER, folder.as_os_str()), (ROLE, role.as_ref())])
        .stdout(Stdio::null())
        .stderr(File::create(folder.join(format!("{role}.log"))).unwrap())
        .spawn()
        .unwrap()
}

#[test]
fn killed_processes_lose_no_image() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    Disk::create(store_path(folder)).unwrap();
    for round in 0..ROUNDS {
        let roles = ["w", "wr", "sweep", "sweep"];
        let mut children: Vec<Child> = roles.iter().map(|role| start(folder, role)).collect();
        thread::sleep(Duration::from_millis(60 + round * 37 % 150));
        for (child, role) in children.iter_mut().zip(roles) {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{role}: {}",
                fs::read_to_string(folder.join(format!("{role}.log"))).unwrap()
            );
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let store = Store::new(Disk::open(store_path(folder)).unwrap());
        for id in rows(folder).into_values() {
            sample::read(&store, id).unwrap();
        }
    }
    let backend = std::sync::Arc::new(Disk::open(store_path(folder)).unwrap());
    let store = Store::new(std::sync::Arc::clone(&backend));
    let live: Vec<ManifestId> = rows(folder).into_values().collect();
    assert!(live.len() > 3, "only {} images were made", live.len());
    assert!(fs::metadata(folder.join("sweeps")).unwrap().len() > 3, "hardly a sweep came to its end");
    store.sweep(PLAN).run(&mut || Ok::<_, Error>(live.clone())).unwrap();
    assert_exactly(&backend, &store, &live.into_iter().collect());
}
