//! Kills at random times under load. Clients create, copy, delete, restore and purge images; an operator sweeps, backs
//! up and checks. SIGKILL ends the server and some of the commands.

use std::fmt::Debug;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use compshare::actions::{
    CopyCompShareCustomImageRequest, CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest,
    TerminateCompShareCustomImageRequest,
};
use compshare::{Class, Client, Error};
use fastrand::Rng;
use rustix::process::Signal;
use serde_json::json;
use tokio::runtime::Runtime;

use super::ledger::{Known, Places, Shown};
use super::{assert_intact, assert_killed, number};
use crate::client::{client, runtime};
use crate::disk;
use crate::home::{Home, until};

const CLIENTS: usize = 4;
/// With this many images a client creates no more.
const IMAGES_MAX: usize = 6;

/// The outcome of a request.
enum Answer<T> {
    Done(T),
    Refused,
    /// No answer came: it is done or not.
    Unknown,
}

/// A client and its images.
struct Worker {
    number: usize,
    random: Rng,
    names: usize,
    images: Vec<Known>,
    answered: u64,
    killed_commands: u64,
}

/// A worker during the life of one server.
struct Shift<'a> {
    worker: &'a mut Worker,
    home: &'a Home,
    /// Whether the server is being killed.
    down: &'a AtomicBool,
    api: Client,
    runtime: Runtime,
}

impl Shift<'_> {
    fn work(&mut self) {
        while !self.is_down() {
            let live = self.worker.images.iter().filter(|image| image.places == Places::LISTED).count();
            match self.worker.random.u8(..12) {
                0..4 if live < IMAGES_MAX => self.create(),
                4 if live < IMAGES_MAX => self.copy(),
                0..7 => self.delete(),
                7 => self.list(),
                8 | 9 => self.restore(),
                _ => self.empty(),
            }
        }
    }

    fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    fn answer<T: Debug>(&mut self, result: Result<T, Error>) -> Answer<T> {
        match result {
            Ok(done) => {
                self.worker.answered += 1;
                Answer::Done(done)
            }
            Err(error) if error.ret_code().is_some() => {
                let class = error.class();
                assert!(!matches!(class, Class::ServiceFault | Class::FixCredentials), "{error}");
                Answer::Refused
            }
            Err(error) => {
                assert!(self.is_down(), "no answer from a running server: {error}");
                Answer::Unknown
            }
        }
    }

    /// Records a requested image.
    fn record(&mut self, name: String, answer: Answer<String>) {
        let (id, places) = match answer {
            Answer::Done(id) => (Some(id), Places::LISTED),
            Answer::Unknown => (None, Places::LISTED.or(Places::GONE)),
            Answer::Refused => return thread::sleep(Duration::from_millis(5)),
        };
        self.worker.images.push(Known { id, name, places, made: false });
    }

    fn name(&mut self) -> String {
        self.worker.names += 1;
        format!("{}-{}", self.worker.number, self.worker.names)
    }

    fn create(&mut self) {
        let name = self.name();
        let request = CreateCompShareCustomImageRequest {
            instance_id: format!("uhost-{}", self.worker.number).into(),
            name: name.as_str().into(),
            ..CreateCompShareCustomImageRequest::default()
        };
        let made = self.runtime.block_on(self.api.create_comp_share_custom_image(&request));
        let answer = self.answer(made.map(|made| made.comp_share_image_id));
        self.record(name, answer);
    }

    fn copy(&mut self) {
        let Some(index) = self.pick(Places::LISTED) else { return };
        let name = self.name();
        let request = CopyCompShareCustomImageRequest {
            image_id: self.worker.images[index].id.clone().unwrap().into(),
            target_name: Some(name.as_str().into()),
            ..CopyCompShareCustomImageRequest::default()
        };
        let copied = self.runtime.block_on(self.api.copy_comp_share_custom_image(&request));
        let answer = self.answer(copied.map(|copied| copied.new_comp_share_image_id));
        self.record(name, answer);
    }

    fn delete(&mut self) {
        let Some(index) = self.pick(Places::LISTED) else { return };
        let image_id = self.worker.images[index].id.clone().unwrap();
        let request = TerminateCompShareCustomImageRequest {
            image_id: image_id.into(),
            ..TerminateCompShareCustomImageRequest::default()
        };
        let deleted = self.runtime.block_on(self.api.terminate_comp_share_custom_image(&request));
        let answer = self.answer(deleted);
        assert!(!matches!(answer, Answer::Refused), "a listed image can be deleted");
        self.moves(index, Places::TRASH, &answer);
    }

    /// Asserts that the list contains every image known to be listed.
    fn list(&mut self) {
        let mut request = DescribeCompShareCustomImagesRequest::default();
        request.paging.limit = Some(100.into());
        let listed = self.runtime.block_on(self.api.describe_comp_share_custom_images(&request));
        let Answer::Done(listed) = self.answer(listed) else { return };
        assert_eq!(listed.total_count, i64::try_from(listed.image_set.len()).unwrap());
        for known in self.worker.images.iter_mut().filter(|known| known.places == Places::LISTED) {
            let found = listed
                .image_set
                .iter()
                .find(|image| known.id.as_deref() == Some(image.comp_share_image_id.as_str()));
            let image = found.unwrap_or_else(|| panic!("{} was acknowledged and is missing", known.name));
            assert_eq!(image.name, known.name);
            known.made |= image.status == compshare::ImageStatus::Available;
        }
    }

    fn restore(&mut self) {
        let Some(index) = self.pick(Places::TRASH) else { return };
        let id = self.worker.images[index].id.clone().unwrap();
        let answer = self.command(&["trash", "restore", &id]);
        assert!(
            !matches!(answer, Answer::Refused) || !self.worker.images[index].made,
            "{id} cannot be restored"
        );
        self.moves(index, Places::LISTED, &answer);
    }

    fn empty(&mut self) {
        let Some(index) = self.pick(Places::TRASH) else { return };
        let id = self.worker.images[index].id.clone().unwrap();
        let answer = self.command(&["trash", "empty", &id]);
        assert!(!matches!(answer, Answer::Refused), "{id} cannot be purged");
        self.moves(index, Places::GONE, &answer);
    }

    fn moves<T>(&mut self, index: usize, to: Places, answer: &Answer<T>) {
        let places = &mut self.worker.images[index].places;
        match answer {
            Answer::Done(_) => *places = to,
            Answer::Unknown => *places = places.or(to),
            Answer::Refused => {}
        }
    }

    /// Picks one of its images that is known to be in this place.
    fn pick(&mut self, place: Places) -> Option<usize> {
        let is_there = |(index, image): (usize, &Known)| (image.places == place).then_some(index);
        let candidates: Vec<usize> = self.worker.images.iter().enumerate().filter_map(is_there).collect();
        self.worker.random.choice(candidates)
    }

    /// Runs a command, which may be killed together with the server.
    fn command(&mut self, args: &[&str]) -> Answer<()> {
        let mut command = self.home.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let spared = self.worker.random.bool();
        if !spared && self.is_killed(&mut child) {
            self.worker.killed_commands += 1;
            return Answer::Unknown;
        }
        let ended = child.wait_with_output().unwrap();
        match ended.status.code() {
            Some(0) => {
                self.worker.answered += 1;
                Answer::Done(())
            }
            Some(1 | 3) => Answer::Refused,
            _ => panic!("{args:?}: {ended:?}"),
        }
    }

    /// Kills a command when the server is killed. Returns whether the command was still running.
    fn is_killed(&self, child: &mut Child) -> bool {
        while child.try_wait().unwrap().is_none() {
            if self.is_down() {
                child.kill().unwrap();
                return child.wait().unwrap().code().is_none();
            }
            thread::sleep(Duration::from_millis(2));
        }
        false
    }

    /// Does the operator's work, concurrently with the clients.
    fn operate(&mut self) {
        let backup = self.home.path("backup");
        while !self.is_down() {
            let args: &[&str] = match self.worker.random.u8(..4) {
                0 => &["backup", backup.to_str().unwrap(), "--with-master-key"],
                1 => &["check", "--read-data"],
                _ => &["sweep"],
            };
            assert!(!matches!(self.command(args), Answer::Refused), "{args:?} is refused");
        }
    }
}

/// Restarts the server and asserts that every image is intact and where it may be.
fn settled(home: &Home, workers: &mut [Worker], place: &str) {
    assert_intact(home, &[], place);
    let server = home.serve();
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
            assert!(bytes == bytes_of(worker.number), "{place}: {} has wrong bytes", known.name);
        }
    }
    assert_eq!(listed, shown.len(), "{place}: there is an image that nobody requested");
    server.stop();
}

/// Every two clients have the same disk, so that they share chunks.
fn bytes_of(worker: usize) -> Vec<u8> {
    disk::bytes(5, worker as u64 / 2)
}

#[test]
fn nothing_is_lost_by_kills_at_random_under_load() {
    let (rounds, seed) = (number("JINGKU_CRASH_ROUNDS", 5), number("JINGKU_CRASH_SEED", 1));
    println!("JINGKU_CRASH_SEED={seed} JINGKU_CRASH_ROUNDS={rounds}");
    let home = Home::new();
    let mut workers: Vec<Worker> = (0..=CLIENTS)
        .map(|number| Worker {
            number,
            random: Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64)),
            names: 0,
            images: Vec::new(),
            answered: 0,
            killed_commands: 0,
        })
        .collect();
    for number in 0..CLIENTS {
        home.add_instance(&format!("uhost-{number}"), &bytes_of(number));
    }
    let mut random = Rng::with_seed(seed);
    for round in 0..rounds {
        let mut server = home.serve();
        let (down, moment_ms) = (AtomicBool::new(false), random.u64(20..1520));
        thread::scope(|scope| {
            for worker in &mut workers {
                let api = client(&home, &server);
                let mut shift = Shift { worker, home: &home, down: &down, api, runtime: runtime() };
                scope.spawn(
                    move || if shift.worker.number == CLIENTS { shift.operate() } else { shift.work() },
                );
            }
            thread::sleep(Duration::from_millis(moment_ms));
            down.store(true, Ordering::SeqCst);
            server.signal(Signal::KILL);
            assert_killed(server.wait(), "load");
        });
        settled(&home, &mut workers, &format!("round {round} of seed {seed}, killed after {moment_ms} ms"));
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
