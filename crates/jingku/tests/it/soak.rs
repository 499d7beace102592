//! Mixed traffic on both kinds of installation, with kills and restarts of the server and of its database: nothing
//! acknowledged is lost, what was deleted is gone, and memory and descriptors stay below a limit.
//!
//! `cargo xtask soak --minutes N` runs it for longer. `JINGKU_SOAK_SECONDS` is the time for each kind of installation,
//! `JINGKU_SOAK_SEED` names a run.

mod installation;
pub(crate) mod python;
mod usage;

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;
use serde_json::json;

use crate::crash::ledger::Places;
use crate::crash::load::settled;
use crate::crash::worker::{Events, Shift, Worker, bytes_of};
use crate::crash::{assert_intact, assert_killed, number};
use crate::server::Server;
use installation::Installation;
use usage::Usage;

/// Clients in Rust. The worker after them is the operator, and the last one is the Python SDK.
const CLIENTS: usize = 4;
const OPERATOR: usize = CLIENTS;
const PYTHON: usize = CLIENTS + 1;
/// The most memory and descriptors of a server, whatever it has done so far.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
const DESCRIPTORS_MAX: usize = 400;
/// How long the database may still be felt after it has restarted.
const RECOVERY_TIME: Duration = Duration::from_secs(5);
const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);

/// A run on one installation.
struct Soak {
    installation: Installation,
    workers: Vec<Worker>,
    random: Rng,
    started: Instant,
    seconds: u64,
    kills: u64,
    stops: u64,
    restarts: u64,
}

impl Soak {
    fn new(installation: Installation) -> Self {
        let (seconds, seed) = (number("JINGKU_SOAK_SECONDS", 10), number("JINGKU_SOAK_SEED", 1));
        println!("{}: JINGKU_SOAK_SECONDS={seconds} JINGKU_SOAK_SEED={seed}", installation.name);
        if python::python().is_none() {
            println!("without the Python SDK: cargo xtask test --only python installs it");
        }
        let mut workers: Vec<Worker> = (0..=PYTHON).map(|number| Worker::new(number, seed)).collect();
        // What a killed sweep of a bucket has announced delays writers for up to half an hour.
        workers[OPERATOR].is_spared = installation.has_database();
        installation.serve().stop();
        for worker in workers.iter().filter(|worker| worker.number != OPERATOR) {
            installation.home.add_instance(&worker.instance(), &bytes_of(worker.content()));
        }
        let (random, started) = (Rng::with_seed(seed), Instant::now());
        Self { installation, workers, random, started, seconds, kills: 0, stops: 0, restarts: 0 }
    }

    fn run(mut self) {
        let mut round = 1;
        while self.started.elapsed().as_secs() < self.seconds {
            self.round(round);
            round += 1;
        }
        self.finish();
    }

    /// The life of one server, then the check of what it left.
    fn round(&mut self, round: u64) {
        let longest = (self.seconds / 4).max(4);
        let length = Duration::from_millis(self.random.u64(2000..=longest * 1000));
        let (is_killed, shakes) = (self.random.u8(..3) > 0, self.random.bool());
        let before = self.answered();
        let (server, events, mut usage) = (self.installation.serve(), Events::default(), Usage::default());
        let (installation, random) = (&self.installation, &mut self.random);
        let restarts = thread::scope(|scope| {
            for worker in &mut self.workers {
                let (server, events) = (&server, &events);
                scope.spawn(move || match worker.number {
                    PYTHON => python::work(worker, installation, server, events, round),
                    OPERATOR => Shift::new(worker, &installation.home, server, events, true).operate(),
                    _ => Shift::new(worker, &installation.home, server, events, true).work(),
                });
            }
            let restarts = disturb(installation, &server, &events, random, length, shakes, &mut usage);
            events.down.store(true, Ordering::SeqCst);
            server.signal(if is_killed { Signal::KILL } else { Signal::TERM });
            restarts
        });
        end(server, is_killed);
        let (killed, stopped) = if is_killed { (1, 0) } else { (0, 1) };
        (self.kills, self.stops) = (self.kills + killed, self.stops + stopped);
        self.restarts += restarts;
        let place = format!("round {round} on {}", installation.name);
        let settling = Instant::now();
        settled(&installation.home, &installation.serve_arguments(), &mut self.workers, &place);
        let settling = settling.elapsed();
        if round.is_multiple_of(2) {
            self.empty_trash();
        }
        println!(
            "{:4} s, round {round}: {:.1} s, {}, database restarted {restarts} times, {} answers, {usage}; checked in \
             {:.1} s",
            self.started.elapsed().as_secs(),
            length.as_secs_f64(),
            if is_killed { "killed" } else { "stopped" },
            self.answered() - before,
            settling.as_secs_f64(),
        );
        usage.assert_below(MEMORY_BYTES_MAX, DESCRIPTORS_MAX);
    }

    /// So that its chunks become garbage, and the trash does not grow for ever.
    fn empty_trash(&mut self) {
        self.installation.home.run(&["trash", "empty"]).succeeded();
        for worker in &mut self.workers {
            worker.images.retain(|image| image.places != Places::TRASH);
        }
    }

    fn answered(&self) -> u64 {
        self.workers.iter().map(|worker| worker.answered).sum()
    }

    /// Removes what is in the trash and sweeps: nothing is left but the images that are listed.
    fn finish(self) {
        let home = &self.installation.home;
        home.run(&["trash", "empty"]).succeeded();
        home.run(&["sweep"]).succeeded();
        assert_intact(home, &[], "the end");
        self.installation.assert_no_deadlock();
        let usage = home.json(&["usage"]);
        // In a bucket, claims of killed processes protect their objects for some minutes.
        if !self.installation.has_database() {
            assert_eq!(usage["Garbage"]["Objects"], json!(0), "{usage}");
        }
        let listed = |worker: &Worker| {
            worker.images.iter().filter(|image| image.places == Places::LISTED).count() as u64
        };
        let sum = |of: fn(&Worker) -> u64| self.workers.iter().map(of).sum::<u64>();
        assert!(sum(|worker| worker.answered) > 0, "no answers");
        // Outside CI, the SDK may not be installed.
        let has_python = python::python().is_some();
        assert!(self.workers[PYTHON].answered > 0 || !has_python, "Python got no answers");
        println!(
            "{}: {} s, {} kills, {} stops, {} restarts of the database, {} answers ({} of them to Python), {} imports, \
             {} compared exports, {} operator's commands, {} killed; {} images at the end",
            self.installation.name,
            self.started.elapsed().as_secs(),
            self.kills,
            self.stops,
            self.restarts,
            sum(|worker| worker.answered),
            self.workers[PYTHON].answered,
            sum(|worker| worker.imports),
            sum(|worker| worker.exports),
            self.workers[OPERATOR].answered,
            sum(|worker| worker.killed_commands),
            self.workers.iter().map(listed).sum::<u64>(),
        );
    }
}

/// Lets time pass, restarts the database once or twice meanwhile, and makes the object store slow or busy. Returns how often
/// the database restarted.
fn disturb(
    installation: &Installation,
    server: &Server,
    events: &Events,
    random: &mut Rng,
    length: Duration,
    shakes: bool,
    usage: &mut Usage,
) -> u64 {
    let (begun, mut restarts) = (Instant::now(), 0);
    let mut next = length / 4;
    while begun.elapsed() < length {
        usage.sample(server);
        thread::sleep(SAMPLE_INTERVAL);
        installation.trouble_store(random);
        if shakes && begun.elapsed() > next && installation.has_database() {
            events.database.fetch_add(1, Ordering::SeqCst);
            installation.restart_database(random);
            thread::sleep(RECOVERY_TIME);
            events.database.fetch_add(1, Ordering::SeqCst);
            restarts += 1;
            next = begun.elapsed() + length / 2;
        }
    }
    restarts
}

fn end(mut server: Server, is_killed: bool) {
    let status = server.wait();
    if is_killed {
        assert_killed(status, "the soak");
    } else {
        assert_eq!(status.code(), Some(0), "{}", server.log());
    }
}

#[test]
fn a_mix_of_everything_on_files_loses_nothing() {
    Soak::new(Installation::on_files()).run();
}

#[test]
#[ignore = "takes minutes beside other tests; cargo xtask soak runs it"]
fn a_mix_of_everything_on_postgres_and_a_bucket_loses_nothing() {
    let Some(installation) = Installation::on_servers() else { return };
    Soak::new(installation).run();
}
