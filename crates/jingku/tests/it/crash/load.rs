//! Kills at random times under load. Clients create, copy, delete, restore and purge images; an operator sweeps, backs
//! up and checks. SIGKILL ends the server and some of the commands.

use std::fs;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use serde_json::json;

use super::ledger::{Known, Places, Shown};
use super::worker::{Events, Shift, Worker, bytes_of};
use super::{assert_intact, assert_killed, number};
use crate::home::{Home, until};

const CLIENTS: usize = 4;

/// Restarts the server and asserts that every image is intact and where it may be.
pub(crate) fn settled(home: &Home, serve: &[&str], workers: &mut [Worker], place: &str) {
    assert_intact(home, &[], place);
    let server = home.serve_with(serve, &[]);
    for known in workers.iter_mut().flat_map(|worker| &mut worker.images) {
        if let Some(file) = known.imported.take() {
            // Refused if everything but its answer had arrived. Below, the image must be listed in any case.
            home.run(&["image", "import", &file, "--name", &known.name, "--wait"]);
            fs::remove_file(file).unwrap();
        }
    }
    let shown = || Shown::of(&home.json(&["image", "list", "--all"]), &home.json(&["trash", "list"]));
    until("every image is made", || shown().is_settled());
    let shown = shown();
    let mut listed = 0;
    for worker in workers {
        worker.images.iter_mut().for_each(|known| shown.settle(known));
        worker.images.retain(|known| known.places != Places::GONE);
        let live: Vec<&Known> = worker.images.iter().filter(|known| known.places == Places::LISTED).collect();
        listed += live.len();
        if !live.is_empty() {
            let known = live[worker.random.usize(..live.len())];
            let bytes = home.bytes(known.id.as_deref().unwrap());
            assert!(bytes == bytes_of(known.content), "{place}: {} has wrong bytes", known.name);
        }
    }
    assert_eq!(listed, shown.len(), "{place}: there is an image that nobody requested");
    server.stop();
}

#[test]
fn nothing_is_lost_by_kills_at_random_under_load() {
    let (rounds, seed) = (number("JINGKU_CRASH_ROUNDS", 5), number("JINGKU_CRASH_SEED", 1));
    println!("JINGKU_CRASH_SEED={seed} JINGKU_CRASH_ROUNDS={rounds}");
    let home = Home::new();
    let mut workers: Vec<Worker> = (0..=CLIENTS).map(|number| Worker::new(number, seed)).collect();
    for worker in &workers[..CLIENTS] {
        home.add_instance(&worker.instance(), &bytes_of(worker.content()));
    }
    let mut random = Rng::with_seed(seed);
    for round in 0..rounds {
        let mut server = home.serve();
        let (events, moment_ms) = (Events::default(), random.u64(20..1520));
        thread::scope(|scope| {
            for worker in &mut workers {
                let mut shift = Shift::new(worker, &home, &server, &events, false);
                scope.spawn(
                    move || if shift.worker.number == CLIENTS { shift.operate() } else { shift.work() },
                );
            }
            thread::sleep(Duration::from_millis(moment_ms));
            events.down.store(true, Ordering::SeqCst);
            server.signal(Signal::KILL);
        });
        assert_killed(server.wait(), "load");
        settled(
            &home,
            &[],
            &mut workers,
            &format!("round {round} of seed {seed}, killed after {moment_ms} ms"),
        );
    }
    let backup = home.path("backup");
    home.run(&["backup", backup.to_str().unwrap(), "--with-master-key"]).succeeded();
    let restored = home.path("restored");
    let restored = restored.to_str().unwrap();
    home.run(&["restore", backup.to_str().unwrap(), "--data-dir", restored]).succeeded();
    assert_intact(&home, &["--data-dir", restored], "the backup");
    home.run(&["sweep"]).succeeded();
    assert_intact(&home, &[], "the end");
    let usage = home.json(&["usage"]);
    assert_eq!(usage["Garbage"]["Objects"], json!(0), "{usage}");
    let sum = |of: fn(&Worker) -> u64| workers.iter().map(of).sum::<u64>();
    let (answered, killed) = (sum(|worker| worker.answered), sum(|worker| worker.killed_commands));
    assert!(answered > rounds, "too few requests: {answered}");
    println!("{rounds} kills of the server and {killed} of commands, {answered} requests answered");
}
