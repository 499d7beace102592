//! A client that creates, copies, imports, exports, deletes, restores and purges images, and knows where each may be.

use std::fmt::Debug;
use std::fs;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use compshare::actions::{
    CopyCompShareCustomImageRequest, CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest,
    TerminateCompShareCustomImageRequest,
};
use compshare::{Class, Client, Error};
use fastrand::Rng;
use tokio::runtime::Runtime;

use super::ledger::{Known, Places};
use crate::client::{client, runtime};
use crate::disk;
use crate::home::Home;
use crate::server::Server;

/// With this many images a client creates no more.
const IMAGES_MAX: usize = 6;

/// After this time without a call, a client opens a new connection: the server closes it after 15 s.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(5);

/// The outcome of a request.
enum Answer<T> {
    Done(T),
    Refused,
    /// No answer came: it is done or not.
    Unknown,
}

/// A client and its images.
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) random: Rng,
    names: usize,
    pub(crate) images: Vec<Known>,
    pub(crate) answered: u64,
    pub(crate) killed_commands: u64,
    /// Whether its commands are never killed.
    pub(crate) is_spared: bool,
    /// Why its last command was refused.
    refusal: String,
    /// What else it did, for people.
    pub(crate) imports: u64,
    pub(crate) exports: u64,
}

/// What happens to the server while clients use it.
#[derive(Default)]
pub(crate) struct Events {
    /// The server is being stopped or killed.
    pub(crate) down: AtomicBool,
    /// How often its database has failed or recovered: odd while it is away.
    pub(crate) database: AtomicU64,
}

/// Ends all shifts when dropped, also by a failed assertion beside them: their scope waits for them.
pub(crate) struct EndOfShifts<'a>(pub(crate) &'a Events);

impl Drop for EndOfShifts<'_> {
    fn drop(&mut self) {
        self.0.down.store(true, Ordering::SeqCst);
    }
}

/// A worker during the life of one server.
pub(crate) struct Shift<'a> {
    pub(crate) worker: &'a mut Worker,
    home: &'a Home,
    events: &'a Events,
    /// Whether it also imports and exports.
    moves_bytes: bool,
    server: &'a Server,
    api: Client,
    last_call: Instant,
    runtime: Runtime,
}

impl Worker {
    pub(crate) fn new(number: usize, seed: u64) -> Self {
        Self {
            number,
            random: Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64)),
            names: 0,
            images: Vec::new(),
            answered: 0,
            killed_commands: 0,
            is_spared: false,
            refusal: String::new(),
            imports: 0,
            exports: 0,
        }
    }

    /// The bytes of its instance's disk, by their seed. Every two clients have the same disk, so that they share chunks.
    pub(crate) fn content(&self) -> u64 {
        self.number as u64 / 2
    }

    /// The id of its instance.
    pub(crate) fn instance(&self) -> String {
        format!("uhost-{}", self.number)
    }
}

/// The bytes of an image.
pub(crate) fn bytes_of(content: u64) -> Vec<u8> {
    disk::bytes(5, content)
}

impl<'a> Shift<'a> {
    pub(crate) fn new(
        worker: &'a mut Worker,
        home: &'a Home,
        server: &'a Server,
        events: &'a Events,
        moves_bytes: bool,
    ) -> Self {
        let (api, last_call, runtime) = (client(home, server), Instant::now(), runtime());
        Self { worker, home, events, moves_bytes, server, api, last_call, runtime }
    }

    pub(crate) fn work(&mut self) {
        while !self.is_down() {
            let live = self.worker.images.iter().filter(|image| image.places == Places::LISTED).count();
            match self.worker.random.u8(..if self.moves_bytes { 15 } else { 12 }) {
                12 if live < IMAGES_MAX => self.import(),
                12.. => self.export(),
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
        self.events.down.load(Ordering::SeqCst)
    }

    /// Whether the database was away at any time since it had this count.
    fn was_shaken(&self, since: u64) -> bool {
        !since.is_multiple_of(2) || self.events.database.load(Ordering::SeqCst) != since
    }

    fn database(&self) -> u64 {
        self.events.database.load(Ordering::SeqCst)
    }

    /// Calls the API.
    fn call<T: Debug>(&mut self, call: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Answer<T> {
        let since = self.database();
        // The server closes idle connections, which this runtime does not notice between calls.
        if self.last_call.elapsed() > CONNECTION_AGE_MAX {
            self.api = client(self.home, self.server);
        }
        let result = self.runtime.block_on(call(&self.api));
        self.last_call = Instant::now();
        self.answer(result, since)
    }

    fn answer<T: Debug>(&mut self, result: Result<T, Error>, since: u64) -> Answer<T> {
        match result {
            Ok(done) => {
                self.worker.answered += 1;
                Answer::Done(done)
            }
            Err(error) if error.ret_code().is_some() => {
                assert_ne!(error.class(), Class::FixCredentials, "{error}");
                if self.was_shaken(since) {
                    // The change may be done although the database did not confirm it.
                    return Answer::Unknown;
                }
                assert_ne!(error.class(), Class::ServiceFault, "{error}");
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
        let content = self.worker.content();
        self.worker.images.push(Known { id, name, places, made: false, content, imported: None });
    }

    fn name(&mut self) -> String {
        self.worker.names += 1;
        format!("{}-{}", self.worker.number, self.worker.names)
    }

    fn create(&mut self) {
        let name = self.name();
        let request = CreateCompShareCustomImageRequest {
            instance_id: self.worker.instance().into(),
            name: name.as_str().into(),
            ..CreateCompShareCustomImageRequest::default()
        };
        let answer = self
            .call(async |api| Ok(api.create_comp_share_custom_image(&request).await?.comp_share_image_id));
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
        let answer = self
            .call(async |api| Ok(api.copy_comp_share_custom_image(&request).await?.new_comp_share_image_id));
        let content = self.worker.images[index].content;
        let count = self.worker.images.len();
        self.record(name, answer);
        self.worker.images[count..].iter_mut().for_each(|copy| copy.content = content);
    }

    fn delete(&mut self) {
        let Some(index) = self.pick(Places::LISTED) else { return };
        let image_id = self.worker.images[index].id.clone().unwrap();
        let request = TerminateCompShareCustomImageRequest {
            image_id: image_id.into(),
            ..TerminateCompShareCustomImageRequest::default()
        };
        let answer = self.call(async |api| api.terminate_comp_share_custom_image(&request).await);
        assert!(!matches!(answer, Answer::Refused), "a listed image can be deleted");
        self.moves(index, Places::TRASH, &answer);
    }

    /// Asserts that the list contains every image known to be listed.
    fn list(&mut self) {
        let mut request = DescribeCompShareCustomImagesRequest::default();
        request.paging.limit = Some(100.into());
        let listed = self.call(async |api| api.describe_comp_share_custom_images(&request).await);
        let Answer::Done(listed) = listed else { return };
        assert_eq!(listed.total_count, i64::try_from(listed.image_set.len()).unwrap());
        let images = self.worker.images.iter_mut();
        for known in images.filter(|known| known.places == Places::LISTED && known.imported.is_none()) {
            let found = listed.image_set.iter().find(|image| match &known.id {
                Some(id) => *id == image.comp_share_image_id,
                None => known.name == image.name,
            });
            let image = found.unwrap_or_else(|| panic!("{} was acknowledged and is missing", known.name));
            assert_eq!(image.name, known.name);
            known.id = Some(image.comp_share_image_id.clone());
            known.made |= image.status == compshare::ImageStatus::Available;
        }
    }

    /// Imports a file. Its content differs from the disk of the instance, so that chunks come and go.
    fn import(&mut self) {
        let (name, content) = (self.name(), self.worker.random.u64(100..104) + self.worker.content());
        let file = self.home.path(&format!("{name}.raw"));
        fs::write(&file, bytes_of(content)).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let answer = self.command(&["image", "import", &file, "--name", &name, "--wait"]);
        let (places, imported) = match answer {
            Answer::Done(()) => (Places::LISTED, None),
            Answer::Refused => return fs::remove_file(file).unwrap(),
            // The import must continue later, and then the image is listed.
            Answer::Unknown => (Places::LISTED, Some(file.clone())),
        };
        if imported.is_none() {
            fs::remove_file(file).unwrap();
        }
        self.worker.imports += 1;
        self.worker.images.push(Known {
            id: None,
            name,
            places,
            made: imported.is_none(),
            content,
            imported,
        });
    }

    /// Asserts that an image has the right bytes.
    fn export(&mut self) {
        let Some(index) = self.pick(Places::LISTED) else { return };
        let known = &self.worker.images[index];
        let (id, content, name) = (known.id.clone().unwrap(), known.content, known.name.clone());
        let file = self.home.path(&format!("{name}.export"));
        let answer = self.command(&["image", "export", &id, "-o", file.to_str().unwrap()]);
        if matches!(answer, Answer::Done(())) {
            assert!(fs::read(&file).unwrap() == bytes_of(content), "{name} has wrong bytes");
            fs::remove_file(&file).unwrap();
            self.worker.exports += 1;
        }
    }

    fn restore(&mut self) {
        let Some(index) = self.pick(Places::TRASH) else { return };
        let id = self.worker.images[index].id.clone().unwrap();
        let answer = self.command(&["trash", "restore", &id]);
        assert!(
            !matches!(answer, Answer::Refused) || !self.worker.images[index].made,
            "{id} cannot be restored: {}",
            self.worker.refusal
        );
        self.moves(index, Places::LISTED, &answer);
    }

    fn empty(&mut self) {
        let Some(index) = self.pick(Places::TRASH) else { return };
        let id = self.worker.images[index].id.clone().unwrap();
        let answer = self.command(&["trash", "empty", &id]);
        assert!(!matches!(answer, Answer::Refused), "{id} cannot be purged: {}", self.worker.refusal);
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
        let is_there =
            |(index, image): (usize, &Known)| (image.places == place && image.id.is_some()).then_some(index);
        let candidates: Vec<usize> = self.worker.images.iter().enumerate().filter_map(is_there).collect();
        self.worker.random.choice(candidates)
    }

    /// Runs a command, which may be killed together with the server.
    fn command(&mut self, args: &[&str]) -> Answer<()> {
        let since = self.database();
        let mut command = self.home.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let spared = self.worker.is_spared || self.worker.random.bool();
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
            _ if self.was_shaken(since) => Answer::Unknown,
            Some(1 | 3) => {
                self.worker.refusal = String::from_utf8(ended.stderr).unwrap();
                Answer::Refused
            }
            _ if self.is_down() => Answer::Unknown,
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
    pub(crate) fn operate(&mut self) {
        let backup = self.home.path("backup");
        while !self.is_down() {
            let args: &[&str] = match self.worker.random.u8(..4) {
                // Forced, because more than half of the images may be gone.
                0 => &["backup", backup.to_str().unwrap(), "--with-master-key", "--force"],
                1 => &["check", "--read-data"],
                _ => &["sweep"],
            };
            let since = self.database();
            let refused = matches!(self.command(args), Answer::Refused);
            assert!(!refused || self.was_shaken(since), "{args:?} is refused: {}", self.worker.refusal);
        }
    }
}
