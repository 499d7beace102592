//! Killed at random under load: clients that make, copy, delete, bring back and forget images, an operator who sweeps, backs up
//! and checks, and SIGKILL for the server and for some of the commands.

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
use rustix::process::Signal;
use serde_json::json;
use tokio::runtime::Runtime;

use super::actions::client;
use super::ledger::{Known, Places, Shown};
use super::{assert_killed, assert_whole, number};
use crate::disk;
use crate::home::{Home, until};

const CLIENTS: usize = 4;
/// From here on a client rather deletes than makes.
const IMAGES_MAX: usize = 6;

/// The generator `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// What became of what was asked for.
enum Answer<T> {
    Done(T),
    Refused,
    /// Done or not.
    Unknown,
}

/// One that asks for things, and its own images.
struct Worker {
    number: usize,
    dice: Dice,
    names: usize,
    images: Vec<Known>,
    answered: u64,
    killed_commands: u64,
}

/// The worker, while a server runs.
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
            match self.worker.dice.below(12) {
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
                assert!(self.is_down(), "no answer from a server that nobody killed: {error}");
                Answer::Unknown
            }
        }
    }

    /// Notes an image that was asked for.
    fn note(&mut self, name: String, answer: Answer<String>) {
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
        self.note(name, answer);
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
        self.note(name, answer);
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
        assert!(!matches!(answer, Answer::Refused), "what is listed can be deleted");
        self.moves(index, Places::TRASH, &answer);
    }

    /// All of its images that are listed for sure are in the list.
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
            let image = found.unwrap_or_else(|| panic!("{} was acknowledged and is lost", known.name));
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
            "{id} does not come back"
        );
        self.moves(index, Places::LISTED, &answer);
    }

    fn empty(&mut self) {
        let Some(index) = self.pick(Places::TRASH) else { return };
        let id = self.worker.images[index].id.clone().unwrap();
        let answer = self.command(&["trash", "empty", &id]);
        assert!(!matches!(answer, Answer::Refused), "{id} does not go");
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

    /// One of its images that is in that place for sure.
    fn pick(&mut self, place: Places) -> Option<usize> {
        let there = |(index, image): (usize, &Known)| (image.places == place).then_some(index);
        let there: Vec<usize> = self.worker.images.iter().enumerate().filter_map(there).collect();
        if there.is_empty() { None } else { Some(there[self.worker.dice.below(there.len())]) }
    }

    /// Runs a command, which may be killed with the server.
    fn command(&mut self, args: &[&str]) -> Answer<()> {
        let mut command = self.home.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let spared = self.worker.dice.below(2) == 0;
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

    /// Kills it when the server is; tells whether that came before its end.
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

    /// What an operator does, whatever else goes on.
    fn operate(&mut self) {
        let backup = self.home.path("backup");
        while !self.is_down() {
            let args: &[&str] = match self.worker.dice.below(4) {
                0 => &["backup", backup.to_str().unwrap(), "--with-master-key"],
                1 => &["check", "--read-data"],
                _ => &["sweep"],
            };
            assert!(!matches!(self.command(args), Answer::Refused), "{args:?} is refused");
        }
    }
}

/// After a restart everything is where it may be, and whole.
fn settled(home: &Home, workers: &mut [Worker], place: &str) {
    assert_whole(home, &[], place);
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
            let known = live[worker.dice.below(live.len())];
            let bytes = home.bytes(known.id.as_deref().unwrap());
            assert!(bytes == bytes_of(worker.number), "{place}: {} has other bytes", known.name);
        }
    }
    assert_eq!(listed, shown.len(), "{place}: an image that nobody asked for");
    server.stop();
}

/// Two clients each have the same disk, so that they share chunks.
fn bytes_of(worker: usize) -> Vec<u8> {
    disk::bytes(5, worker as u64 / 2)
}

#[test]
fn killed_at_random_under_load() {
    let (rounds, seed) = (number("JINGKU_CRASH_ROUNDS", 5), number("JINGKU_CRASH_SEED", 1));
    println!("JINGKU_CRASH_SEED={seed} JINGKU_CRASH_ROUNDS={rounds}");
    let home = Home::new();
    let mut workers: Vec<Worker> = (0..=CLIENTS)
        .map(|number| Worker {
            number,
            dice: Dice(seed.wrapping_mul(1_000_003).wrapping_add(number as u64)),
            names: 0,
            images: Vec::new(),
            answered: 0,
            killed_commands: 0,
        })
        .collect();
    for number in 0..CLIENTS {
        home.add_instance(&format!("uhost-{number}"), &bytes_of(number));
    }
    let mut dice = Dice(seed);
    for round in 0..rounds {
        let mut server = home.serve();
        let (down, moment_ms) = (AtomicBool::new(false), 20 + dice.below(1500) as u64);
        thread::scope(|scope| {
            for worker in &mut workers {
                let api = client(&home, &server);
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let mut shift = Shift { worker, home: &home, down: &down, api, runtime };
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
    assert_whole(&home, &["--data-dir", restored], "the backup");
    home.run(&["sweep"]).succeeded();
    assert_whole(&home, &[], "the end");
    let usage = home.json(&["usage"]);
    assert_eq!(usage["Garbage"]["Objects"], json!(0), "{usage}");
    let sum = |of: fn(&Worker) -> u64| workers.iter().map(of).sum::<u64>();
    let (answered, killed) = (sum(|worker| worker.answered), sum(|worker| worker.killed_commands));
    assert!(answered > rounds, "too little was asked for: {answered}");
    println!("{rounds} kills of the server and {killed} of commands, {answered} requests answered");
}
