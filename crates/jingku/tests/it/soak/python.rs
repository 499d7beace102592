//! A client that is the official Python SDK.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Installation;
use crate::crash::ledger::{Known, Places};
use crate::crash::worker::{Events, Worker};
use crate::server::Server;

/// The program of the client, below the folder of this crate.
pub(crate) const SCRIPT: &str = "../../conformance/soak_client.py";

/// An image as the script knows it.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: Option<String>,
    name: String,
    places: u8,
    made: bool,
}

/// What the script writes at its end.
#[derive(Deserialize)]
struct Report {
    images: Vec<Entry>,
    answered: u64,
    /// How many calls were answered with an internal error.
    faults: u64,
    /// Why it ended early.
    ended: Option<String>,
}

/// Works until the server is stopped or killed.
pub(super) fn work(
    worker: &mut Worker,
    installation: &Installation,
    server: &Server,
    events: &Events,
    round: u64,
) {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "run cargo xtask test --only python");
        return;
    };
    let [public_key, private_key] = installation.home.key_pair();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    let prefix = format!("{}-{round}", worker.number);
    let mut command = installation.home.other_command(python.to_str().unwrap(), &[script.to_str().unwrap()]);
    command.args([&server.base_url, &public_key, &private_key, &worker.instance(), &prefix]);
    command.arg(worker.random.u32(..).to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let entry = |known: &Known| Entry {
        id: known.id.clone(),
        name: known.name.clone(),
        places: known.places.bits(),
        made: known.made,
    };
    let known: Vec<Entry> = worker.images.iter().map(entry).collect();
    writeln!(stdin, "{}", serde_json::to_string(&known).unwrap()).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // It ends by itself if its connection breaks.
    while !events.down.load(Ordering::SeqCst) && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    drop(stdin);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let report: Report = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    assert!(child.wait().unwrap().success());
    let down = events.down.load(Ordering::SeqCst);
    assert!(report.ended.is_none() || down, "Python lost a running server: {:?}", report.ended);
    let shaken = events.database.load(Ordering::SeqCst) > 0;
    assert!(report.faults == 0 || shaken, "{} internal errors", report.faults);
    worker.answered += report.answered;
    let content = worker.content();
    worker.images = report
        .images
        .into_iter()
        .map(|Entry { id, name, places, made }| Known {
            id,
            name,
            places: Places::from_bits(places),
            made,
            content,
            imported: None,
        })
        .collect();
}

/// The Python with the SDK, which `cargo xtask test` installs in the target folder.
pub(crate) fn python() -> Option<PathBuf> {
    let program = std::env::current_exe().unwrap();
    // TARGET/PROFILE/deps/PROGRAM
    let python = program.ancestors().nth(3)?.join("python/bin/python");
    python.exists().then_some(python)
}
