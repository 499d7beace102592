//! What clients see while PostgreSQL restarts, crashes, does not answer, is full, or is replaced: a short wait or 150. What
//! was acknowledged stays, and what is repeated after a 150 happens once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jingku_catalog::testing::{PostgresServer, run_sql, url_of};
use jingku_catalog::{Catalog, CatalogError, POSTGRES_ANSWER_TIMEOUT, POSTGRES_CONNECT_TIMEOUT};
use jingku_protocol::actions::Action;
use tokio::task::JoinHandle;

use crate::support::{Caller, INSTANCE, Service, wait_until};

const LIST: Action = Action::DescribeCompShareCustomImages;
const COPY: Action = Action::CopyCompShareCustomImage;
/// How much a load does at least, on a busy machine too.
const COPIES_MIN: usize = 20;
/// Added to a bound on a busy machine.
const SLACK: Duration = Duration::from_secs(10);

/// A client that copies an image under new names, and repeats each call that is answered with 150.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    running: JoinHandle<Copied>,
}

/// What a load has done.
#[derive(Default)]
pub(crate) struct Copied {
    pub(crate) ids: BTreeSet<String>,
    pub(crate) longest: Duration,
}

impl Load {
    pub(crate) fn start(caller: Caller, base: &str, prefix: &str) -> Self {
        let stop: Arc<AtomicBool> = Arc::default();
        let (stopped, base, prefix) = (Arc::clone(&stop), base.to_owned(), prefix.to_owned());
        let running = tokio::spawn(async move {
            let mut copied = Copied::default();
            while !stopped.load(Ordering::Relaxed) || copied.ids.len() < COPIES_MIN {
                let name = format!("{prefix}-{}", copied.ids.len());
                let copy = [("CompShareImageId", &*base), ("TargetImageName", &name)];
                let reply = repeat(&caller, COPY, &copy, &mut copied).await;
                let id = reply["NewCompShareImageId"].as_str().unwrap().to_owned();
                assert!(copied.ids.insert(id.clone()), "{name} was answered with the id of another image");
                // It sees what it has written.
                let page = repeat(&caller, LIST, &[("CompShareImageId", &id)], &mut copied).await;
                assert_eq!(page["TotalCount"], 1, "{page}");
            }
            copied
        });
        Self { stop, running }
    }

    pub(crate) async fn end(self) -> Copied {
        self.stop.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

/// Repeats a call until it succeeds. It may only be refused with 150.
async fn repeat(
    caller: &Caller,
    action: Action,
    params: &[(&str, &str)],
    copied: &mut Copied,
) -> serde_json::Value {
    loop {
        let begun = Instant::now();
        let reply = caller.call(action, params).await.json;
        copied.longest = copied.longest.max(begun.elapsed());
        match reply["RetCode"].as_i64() {
            Some(0) => return reply,
            Some(150) => {}
            _ => panic!("{action:?} {params:?}: {reply}"),
        }
    }
}

/// All ids of the account's images, and how many there are.
async fn all(caller: &Caller) -> (BTreeSet<String>, u64) {
    let (mut ids, mut offset) = (BTreeSet::new(), 0);
    loop {
        let page = [("Limit", "100"), ("Offset", &*offset.to_string())];
        let reply = caller.ok(LIST, &page).await;
        let images = reply["ImageSet"].as_array().unwrap();
        ids.extend(images.iter().map(|image| image["CompShareImageId"].as_str().unwrap().to_owned()));
        offset += images.len();
        if images.is_empty() {
            return (ids, reply["TotalCount"].as_u64().unwrap());
        }
    }
}

/// Asserts that the account has exactly the base image and what the loads have copied.
pub(crate) async fn assert_exact(caller: &Caller, base: &str, loads: &[Copied]) {
    let mut expected: BTreeSet<String> = loads.iter().flat_map(|load| load.ids.clone()).collect();
    expected.insert(base.to_owned());
    let (found, total) = all(caller).await;
    assert_eq!(found, expected);
    assert_eq!(total, expected.len() as u64);
    for load in loads {
        assert!(
            load.longest < POSTGRES_CONNECT_TIMEOUT + POSTGRES_ANSWER_TIMEOUT + SLACK,
            "{:?}",
            load.longest
        );
    }
}

/// A service with one image on a database.
pub(crate) async fn start(url: String) -> (Service, Caller, String) {
    let service = Service::start_on_database(url).await;
    let base = service.make(INSTANCE, "base").await;
    let caller = service.caller();
    (service, caller, base)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_and_crashes_lose_and_repeat_nothing() {
    let Some(server) = PostgresServer::start("") else { return };
    let url = server.create_database("jingku").await;
    let (service, caller, base) = start(url.clone()).await;
    let other = service.reopen_on(url).await;
    let workers = service.start_workers().await;
    let mut tries = Copied::default();
    let loads = [Load::start(caller.clone(), &base, "a"), Load::start(other.caller(), &base, "b")];
    for (number, mode) in ["fast", "immediate", "fast", "immediate"].into_iter().enumerate() {
        let params = [("UHostId", INSTANCE), ("Name", &*format!("made-{number}"))];
        let reply = repeat(&caller, Action::CreateCompShareCustomImage, &params, &mut tries).await;
        let made = reply["CompShareImageId"].as_str().unwrap().to_owned();
        server.control(&["restart", &format!("--mode={mode}")]);
        // Jobs continue.
        wait_until("the image is made", async || {
            let params = [("CompShareImageId", &*made)];
            let reply = caller.call(Action::GetCompShareImageCreateProgress, &params).await.json;
            assert!([0, 150].contains(&reply["RetCode"].as_i64().unwrap()), "{reply}");
            assert_ne!(reply["Status"], "UnAvailable", "{reply}");
            reply["Status"] == "Available"
        })
        .await;
        let params = [("CompShareImageId", &*made)];
        repeat(&caller, Action::TerminateCompShareCustomImage, &params, &mut tries).await;
    }
    let [a, b] = loads;
    let loads = [a.end().await, b.end().await];
    workers.stop().await;
    assert_exact(&caller, &base, &loads).await;
}

/// The replica confirms every commit, so that it has every acknowledged change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over() {
    let Some(primary) = PostgresServer::start("") else { return };
    primary.create_database("jingku").await;
    let replica = primary.replica();
    run_sql(&primary.url("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    primary.control(&["reload"]);
    let (service, caller, base) = start(url_of("jingku", &[&primary, &replica])).await;
    let load = Load::start(caller.clone(), &base, "a");
    tokio::time::sleep(Duration::from_millis(500)).await;
    primary.control(&["stop", "--mode=immediate"]);
    replica.control(&["promote"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let load = load.end().await;
    assert_exact(&caller, &base, &[load]).await;
    let id = service.make(INSTANCE, "later").await;
    assert_eq!(caller.image(&id).await["Status"], "Available");
}

/// A file is moved by another process, which cannot close the connections of this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_catalogue_refuses_changes_with_150_and_its_servers_end() {
    let mut services = vec![Service::start_on_file().await];
    let server = PostgresServer::start("");
    if let Some(server) = &server {
        services.push(Service::start_on_database(server.create_database("jingku").await).await);
    }
    for service in services {
        let base = service.make(INSTANCE, "base").await;
        let (caller, library) = (service.caller(), &service.context.library);
        let (frozen, copy) = (library.catalog.freeze().await.unwrap(), [("CompShareImageId", &*base)]);
        frozen.retire("postgres://db/new").await.unwrap();
        assert_eq!(caller.refusal(COPY, &copy).await, (150, "Service Unavailable".to_owned()));
        let problem = library.readiness.check(&library.catalog).await.unwrap_err();
        assert_eq!(problem, "the catalogue was moved to postgres://db/new");
        assert_eq!(library.catalog_moved().await, "postgres://db/new");
        if library.catalog.generation().is_none() {
            // New connections are refused, and the old ones are closed.
            assert_eq!(caller.refusal(LIST, &[]).await.0, 150);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_statement_is_refused_with_150_in_time() {
    let Some(server) = PostgresServer::start("") else { return };
    let url = server.create_database("jingku").await;
    let (service, caller, base) = start(url.clone()).await;
    let hurried = service.reopen_on(format!("{url}&options=-c%20statement_timeout%3D300ms")).await;
    let blocker = client(&url).await.unwrap();
    blocker.batch_execute("BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for (caller, bound) in
        [(hurried.caller(), Duration::from_millis(300)), (caller.clone(), Duration::from_secs(5))]
    {
        let begun = Instant::now();
        assert_eq!(caller.refusal(LIST, &[]).await, (150, "Service Unavailable".to_owned()));
        assert!((bound..bound + SLACK).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(caller.ids(LIST, &[]).await, [&*base]);
}

/// All processes of the server are stopped: it accepts what is sent, and does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_given_up_in_time() {
    let Some(server) = PostgresServer::start("") else { return };
    let (_service, caller, base) = start(server.create_database("jingku").await).await;
    let signal = |name: &str| {
        let all = format!("kill -{name} {0} $(pgrep --parent {0})", server.pid());
        assert!(Command::new("sh").args(["-c", &all]).status().unwrap().success());
    };
    signal("STOP");
    let begun = Instant::now();
    assert_eq!(caller.refusal(LIST, &[]).await.0, 150);
    let waited = begun.elapsed();
    signal("CONT");
    assert!(waited < POSTGRES_CONNECT_TIMEOUT + POSTGRES_ANSWER_TIMEOUT + SLACK, "{waited:?}");
    assert_eq!(caller.ids(LIST, &[]).await, [&*base]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_free_connections_is_waited_for() {
    let Some(server) = PostgresServer::start("max_connections = 20\n") else { return };
    let url = server.create_database("jingku").await;
    let mut held = Vec::new();
    while let Some(client) = client(&url).await {
        held.push(client);
    }
    let begun = Instant::now();
    let refused = Catalog::connect_postgres(&url, None).await.err().expect("there is no connection");
    assert!(matches!(refused, CatalogError::Unavailable(_)), "{refused:?}");
    assert!(begun.elapsed() < POSTGRES_CONNECT_TIMEOUT + SLACK, "{:?}", begun.elapsed());
    let connecting = tokio::spawn(async move { Catalog::connect_postgres(&url, None).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    held.clear();
    connecting.await.unwrap().expect("a connection has become free");
}

/// The tables are on a small file system, which only root can mount.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_database_is_refused_with_150() {
    let Some(server) = PostgresServer::start("") else { return };
    let Some(disk) = SmallDisk::mount(&server.folder().join("small")) else { return };
    let create = format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.display());
    run_sql(&server.url("postgres"), &create).await;
    run_sql(&server.url("postgres"), "CREATE DATABASE jingku TABLESPACE small").await;
    let (_service, caller, base) = start(server.url("jingku")).await;
    let filler = disk.0.join("filler");
    assert!(
        !Command::new("dd")
            .args(["if=/dev/zero", &format!("of={}", filler.display())])
            .status()
            .unwrap()
            .success()
    );
    let (mut load, mut full) = (Copied::default(), false);
    for number in 0..2000 {
        let name = format!("copy-{number}");
        let copy = [("CompShareImageId", &*base), ("TargetImageName", &name)];
        let reply = caller.call(COPY, &copy).await.json;
        match reply["RetCode"].as_i64() {
            Some(0) => load.ids.insert(reply["NewCompShareImageId"].as_str().unwrap().to_owned()),
            Some(150) => {
                full = true;
                std::fs::remove_file(&filler).unwrap();
                let reply = repeat(&caller, COPY, &copy, &mut load).await;
                load.ids.insert(reply["NewCompShareImageId"].as_str().unwrap().to_owned());
                break;
            }
            _ => panic!("{reply}"),
        };
    }
    assert!(full, "the disk did not fill up");
    assert_exact(&caller, &base, &[load]).await;
    // The server ends before its disk.
    server.control(&["stop", "--mode=immediate"]);
}

/// A file system of a few megabytes in memory. It belongs to `nobody`, as whom root runs the server.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` if this process may not mount.
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m,uid=65534,gid=65534", "tmpfs"])
            .arg(path)
            .status();
        mount.is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have files open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Another program's connection; `None` if the server has no more.
async fn client(url: &str) -> Option<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}
