//! A server that is reset before each sequence: in memory, or on PostgreSQL.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_catalog::Catalog;
use jingku_catalog::testing::chosen_database;
use jingku_library::{
    Config, DataDir, DatabaseUrl, DiskFormat, Environment, FixedClock, Fixtures, Library, NewInstance,
    Random, SeededRandom,
};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::{Context, router};
use tempfile::TempDir;

use super::model::{ACCOUNTS, Image, Instance, Refusal, Status, World, account_name};
use crate::support::{Caller, NOW, Reply};

/// The initial images: owner, name, status, whether public.
const IMAGES: [(i64, &str, Status, bool); 10] = [
    (1, "one", Status::Available, false),
    (1, "two", Status::Available, false),
    (1, "shown", Status::Available, true),
    (2, "one", Status::Available, false),
    (2, "waiting", Status::Reviewing, false),
    (2, "making", Status::Making, false),
    (3, "shown", Status::Available, true),
    (3, "down", Status::Offline, false),
    (3, "failed", Status::UnAvailable, false),
    (3, "one", Status::Available, false),
];

/// The image that account 1 shares initially, and the account it is shared with.
const SHARED: (usize, i64) = (1, 2);
/// Accounts with an instance started from an image: a shared one and a public one, to which they may lose access.
const STARTED: [(i64, usize); 2] = [(2, 1), (4, 2)];
/// The reason of the image that failed.
const NO_DISK: &str = "The disk is gone.";

/// How often each action succeeded, and how often it was refused.
pub(super) type Counts = BTreeMap<&'static str, [u64; 2]>;

pub(super) struct Server {
    pub(super) context: Arc<Context>,
    /// The initial catalogue, for a server on PostgreSQL. A server in memory has a lab, which remembers it.
    start: Option<Catalog>,
    callers: Vec<Caller>,
    clock: Arc<FixedClock>,
    random: Arc<Replay>,
    /// The disk of every instance.
    pub(super) disk: PathBuf,
    _folder: TempDir,
    pub(super) asked: RefCell<Counts>,
    /// How many replies were compared with the reply for a resource that never existed.
    pub(super) compared: Cell<u64>,
    /// Replies for resources that never existed, by account and call.
    pub(super) missing_replies: RefCell<BTreeMap<(i64, String), String>>,
}

/// Randomness that restarts with every sequence, so that a sequence can be replayed.
struct Replay(Mutex<SeededRandom>);

impl Random for Replay {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill(bytes);
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, disk) = (folder.path().join("fixtures.toml"), folder.path().join("disk.raw"));
        std::fs::write(&file, fixtures()).unwrap();
        std::fs::write(&disk, [7; 4096]).unwrap();
        let clock = Arc::new(FixedClock::at(NOW));
        let random = Arc::new(Replay(Mutex::new(SeededRandom::new(1))));
        let environment =
            Environment { clock: clock.clone(), random: random.clone(), ..Environment::default() };
        let database = chosen_database().await;
        let context = if let Some(url) = &database {
            let environment = Environment { database: Some(DatabaseUrl::new(url)), ..environment };
            let data = DataDir::open_or_create(&folder.path().join("data")).unwrap();
            Context::new(Library::open(&data, &Config::default(), &environment).await.unwrap())
        } else {
            Context::open_lab(&Config::default(), environment).await.unwrap()
        };
        let accounts = context.library.load(&Fixtures::read(&file).unwrap(), None).await.unwrap();
        let context = Arc::new(context);
        let callers: Vec<_> = accounts
            .iter()
            .map(|loaded| Caller::with_keys(router(context.clone()), &loaded.keys[0]))
            .collect();
        callers[0].share(&id(SHARED.0), &[SHARED.1]).await;
        for (owner, image) in STARTED {
            let new = NewInstance {
                id: &started(owner),
                name: None,
                account: owner,
                zone: None,
                disk: &disk,
                format: Some(DiskFormat::Raw),
                gpu_type: "",
            };
            context.library.add_instance_from(new, &id(image)).await.unwrap();
        }
        context.remember_start().await.unwrap();
        let start = if database.is_some() {
            let start = Catalog::open_sqlite_in_memory().await.unwrap();
            context.library.catalog.copy_to(&start, "").await.unwrap();
            Some(start)
        } else {
            None
        };
        Self {
            start,
            callers,
            context,
            clock,
            random,
            disk,
            _folder: folder,
            asked: RefCell::default(),
            compared: Cell::default(),
            missing_replies: RefCell::default(),
        }
    }

    /// Resets the server and returns the model of its initial state.
    pub(super) async fn reset(&self) -> World {
        *self.random.0.lock().unwrap() = SeededRandom::new(2);
        self.clock.set(NOW);
        if let Some(start) = &self.start {
            let catalog = &self.context.library.catalog;
            start.copy_to(catalog, &catalog.store_id().await.unwrap()).await.unwrap();
        } else {
            let request =
                Request::post("/_lab/reset").header("host", "127.0.0.1:1").header("x-jingku-lab", "1");
            let router = TowerToHyperService::new(router(self.context.clone()));
            let Ok(response) = router.call(request.body(Body::empty()).unwrap()).await;
            assert!(response.status().is_success());
        }
        world()
    }

    pub(super) fn set_clock(&self, now: i64) {
        self.clock.set(now);
    }

    pub(super) fn caller(&self, who: i64) -> &Caller {
        &self.callers[usize::try_from(who - 1).unwrap()]
    }

    pub(super) async fn ask(&self, who: i64, action: Action, params: &[(String, String)]) -> Reply {
        let add = |all: Params, (name, value): &(String, String)| all.text(name, Some(value));
        let params = params.iter().fold(Params::for_action(action.name()), add);
        let caller = self.caller(who);
        let reply = caller.post(&caller.sign(params)).await;
        let refused = reply.json["RetCode"].as_i64().is_some_and(|code| code != 0);
        self.count(action, refused);
        reply
    }

    pub(super) fn count(&self, action: Action, refused: bool) {
        self.asked.borrow_mut().entry(action.name()).or_default()[usize::from(refused)] += 1;
    }

    /// Checks that a call succeeded or was refused as expected.
    #[expect(clippy::unused_self, reason = "belongs to `ask`")]
    pub(super) fn check(
        &self,
        action: Action,
        reply: &Reply,
        expected: &Result<(), Refusal>,
    ) -> Result<(), String> {
        let code = reply.json["RetCode"].as_i64();
        let answered = match code {
            Some(0) | None => Ok(()),
            Some(code) => Err((code, reply.json["Message"].as_str().unwrap_or_default().to_owned())),
        };
        // A refused name has a reason and, in `Holder`, an image of the caller's own account.
        let bare = ["Action", "RetCode", "Message", "request_uuid", "Reason", "Holder"];
        let fields = reply.json.as_object().into_iter().flatten();
        let full = fields.map(|(name, _)| name.as_str()).any(|name| !bare.contains(&name));
        if answered == *expected && (answered.is_ok() || !full) {
            return Ok(());
        }
        Err(format!("{action:?} answered {}, expected {expected:?}", reply.json))
    }
}

fn id(index: usize) -> String {
    format!("compshareImage-1fixture{:04}", index + 1)
}

fn instance(account: &str) -> String {
    format!("uhost-{account}1")
}

fn started(owner: i64) -> String {
    format!("uhost-{}2", account_name(owner))
}

fn fixtures() -> String {
    let mut text = String::new();
    for account in ACCOUNTS {
        write!(text, "[[accounts]]\nname = \"{account}\"\n").unwrap();
        let id = instance(account);
        write!(text, "[[instances]]\nid = \"{id}\"\naccount = \"{account}\"\nsize_mb = 1\n").unwrap();
    }
    for (index, (owner, name, status, public)) in IMAGES.iter().enumerate() {
        let account = ACCOUNTS[usize::try_from(owner - 1).unwrap()];
        let id = id(index);
        write!(
            text,
            "[[images]]\nid = \"{id}\"\naccount = \"{account}\"\nname = \"{name}\"\nstatus = \"{status:?}\"\n\
             size_mb = 1\ncreate_time = {}\n",
            created(index)
        )
        .unwrap();
        if *public {
            text.push_str("published = {}\n");
        }
        if *status == Status::UnAvailable {
            writeln!(text, "reason = \"{NO_DISK}\"").unwrap();
        }
    }
    text
}

/// Pairs have the same time, so that their order in the file decides.
fn created(index: usize) -> i64 {
    NOW - 100 + i64::try_from(index / 2).unwrap()
}

fn world() -> World {
    let mut world = World::new(NOW);
    for (index, (owner, name, status, public)) in IMAGES.iter().enumerate() {
        let image = Image::new(&id(index), *owner, name, *status, created(index));
        let reason = if *status == Status::UnAvailable { NO_DISK } else { "" };
        world.seed(Image { public: *public, reason: reason.to_owned(), ..image });
    }
    for (account, name) in (1..).zip(ACCOUNTS) {
        let started_from = String::new();
        world.instances.push(Instance { id: instance(name), owner: account, started_from });
    }
    world.change(&id(SHARED.0)).shares.insert(SHARED.1, 0);
    for (owner, image) in STARTED {
        let (image_id, id) = (id(image), started(owner));
        world.change(&image_id).starts += 1;
        world.instances.push(Instance { id, owner, started_from: image_id });
    }
    world
}
