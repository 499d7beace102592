//! `jingku migrate-database`.

use std::fs::{self, File};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use jingku_catalog::testing::postgres_database;
use serde_json::Value;

use crate::crash::ledger::Places;
use crate::crash::load::settled;
use crate::crash::worker::{EndOfShifts, Events, Shift, Worker, bytes_of};
use crate::crash::{assert_intact, assert_killed, number};
use crate::disk;
use crate::home::{Ended, Home, until};
use crate::server::{Server, memory_peak, wait};

pub(crate) const FAILPOINTS: [&str; 9] = [
    "migrate.database_announced",
    "migrate.database_page:1",
    "migrate.database_page:2",
    "migrate.database_copied",
    "migrate.database_noted",
    "migrate.database_compared",
    "migrate.database_retired",
    "migrate.database_placed",
    "migrate.database_done",
];

fn empty_database() -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(postgres_database())
}

fn move_to(to: &str) -> [&str; 3] {
    ["migrate-database", "--to", to]
}

/// A home with an image in a file catalogue, and another in the trash.
fn home() -> Home {
    let home = Home::with_database(None);
    let server = home.serve();
    for number in [1, 2] {
        home.add_instance(&format!("uhost-{number}"), &disk::bytes(5, number));
    }
    home.make("uhost-1", "one");
    let two = home.make("uhost-2", "two");
    home.run(&["image", "delete", &two]).succeeded();
    server.stop();
    home
}

/// Starts a server with this database in its environment, which must be refused with these words.
fn refuse_start(home: &Home, database: Option<&str>, english: &str, chinese: &str) {
    for (lang, words) in [("en", english), ("zh", chinese)] {
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--lang", lang]);
        command.envs(database.map(|url| ("JINGKU_DATABASE", url)));
        let refused = Server::try_start(&mut command).err().expect("it is refused");
        assert!(refused.1.contains(words), "{}", refused.1);
    }
}

#[test]
fn a_catalogue_moves_between_engines_despite_kills_at_every_step() {
    let (Some(url), home) = (empty_database(), home()) else { return };
    let mut accounts = 1;
    for failpoint in FAILPOINTS {
        for to in [url.as_str(), "sqlite"] {
            if failpoint == "migrate.database_placed" && to != "sqlite" {
                home.run(&move_to(to)).succeeded();
                continue;
            }
            // Something that only the newest catalogue has.
            accounts += 1;
            home.run(&["account", "create", &format!("account-{accounts}")]).succeeded();
            let mut command = home.command(&move_to(to));
            assert_killed(command.env("JINGKU_FAILPOINT", failpoint).status().unwrap(), failpoint);
            match failpoint {
                "migrate.database_retired" | "migrate.database_placed" => {
                    home.run(&["account", "list"]).failed(1, &["The catalogue is in"]);
                    refuse_start(&home, None, "or a move there was interrupted", "迁移被中断");
                    let moved = home.json(&move_to(to));
                    assert!(moved["WrittenRows"] == 0 || failpoint == "migrate.database_placed", "{moved}");
                }
                "migrate.database_done" => drop(home.run(&move_to(to)).failed(1, &["already"])),
                _ => {
                    accounts += 1;
                    home.run(&["account", "create", &format!("account-{accounts}")]).succeeded();
                    let moved = home.json(&move_to(to));
                    if ["migrate.database_copied", "migrate.database_noted", "migrate.database_compared"]
                        .contains(&failpoint)
                    {
                        // The account, its key, the number of accounts, and the audit log: two entries and its head.
                        assert_eq!(moved["WrittenRows"], 6, "{failpoint} {to}: {moved}");
                    }
                }
            }
            let listed = home.json(&["account", "list"]);
            assert_eq!(listed.as_array().unwrap().len(), accounts, "{failpoint} {to}");
            assert_eq!(home.data().join("database").exists(), to != "sqlite", "{failpoint} {to}");
            assert_intact(&home, &[], failpoint);
        }
    }
    // Numbers and orders continue.
    let server = home.serve();
    let next = home.json(&["account", "create", "next"]);
    assert_eq!(next["AccountId"], accounts + 1);
    home.make("uhost-2", "three");
    let images = home.json(&["image", "list"]);
    let names: Vec<_> = images["ImageSet"].as_array().unwrap().iter().map(|image| &image["Name"]).collect();
    assert_eq!(names, ["three", "one"]);
    assert_eq!(home.json(&["trash", "list"]).as_array().unwrap().len(), 1);
    server.stop();
}

#[test]
fn a_catalogue_does_not_move_where_it_would_be_lost() {
    let (Some(url), Some(second), home) = (empty_database(), empty_database(), home()) else { return };
    home.refuses(&move_to("mysql://db/x"), 2, &["--to postgres://"], &["--to postgres://"]);
    home.refuses(&move_to("sqlite"), 1, &["catalog.db already"], &["已经在"]);
    let mut stalled = home.command(&move_to(&url));
    let stalled = stalled.env("JINGKU_STALL", "migrate.database_copied").stderr(Stdio::null());
    let mut stalled = stalled.stdout(Stdio::null()).spawn().unwrap();
    until("it has begun", || home.data().join("migrate.lock").exists());
    until("it has copied", || home.data().join("database.next").exists());
    home.refuses(&move_to(&url), 5, &["Another `jingku migrate-database`"], &["另一个"]);
    stalled.kill().unwrap();
    stalled.wait().unwrap();
    // Another library is there.
    let other = Home::with_database(Some(second.clone()));
    other.serve().stop();
    home.refuses(&move_to(&second), 1, &["is not empty"], &["不是空的"]);

    let moved = home.json(&move_to(&url));
    assert_eq!((&moved["Tables"]["images"], &moved["Tables"]["keys"]), (&2.into(), &1.into()), "{moved}");
    assert!(!moved["To"].as_str().unwrap().contains('@'), "{moved}");
    home.refuses(&move_to(&url), 1, &["already"], &["已经在"]);
    // The file is marked: without the record of the database, nothing starts on it.
    let (record, aside) = (home.data().join("database"), home.path("aside"));
    std::fs::rename(&record, &aside).unwrap();
    refuse_start(&home, None, "The catalogue is in postgres", "现在位于 postgres");
    home.run(&move_to(&second)).failed(1, &["The catalogue is in postgres"]);
    std::fs::rename(&aside, &record).unwrap();
    home.run(&["account", "create", "later"]).succeeded();
    // From database to database.
    let third = empty_database().unwrap();
    home.run(&move_to(&third)).succeeded();
    refuse_start(&home, Some(&url), "The catalogue is in postgres", "现在位于 postgres");
    home.run(&move_to("sqlite")).succeeded();
    refuse_start(&home, Some(&third), "catalog.db now", "catalog.db");
    assert_eq!(home.json(&["account", "list"]).as_array().unwrap().len(), 2);
    let ended = Ended::of(&mut home.command(&["check", "--read-data"]));
    ended.succeeded();
}

/// A server that ended because its catalogue was moved.
fn assert_ended(mut server: Server) {
    let status = server.wait();
    assert_eq!(status.code(), Some(5), "{}", server.log());
    until("it says why", || server.log().contains("error: The catalogue was moved to"));
}

/// Clients create, copy, delete and list images all the time; an operator restores and purges them.
#[test]
fn a_catalogue_moves_while_its_server_is_in_use() {
    let (Some(first), Some(second)) = (empty_database(), empty_database()) else { return };
    let home = Home::with_database(None);
    let mut workers: Vec<Worker> = (0..3).map(|number| Worker::new(number, 1)).collect();
    let server = home.serve();
    for worker in &workers {
        home.add_instance(&worker.instance(), &bytes_of(worker.content()));
    }
    server.stop();
    for (to, failpoint) in [
        (first.as_str(), "migrate.database_copied"),
        (&second, "migrate.database_compared"),
        ("sqlite", "migrate.database_retired"),
        (&first, "migrate.database_page:3"),
    ] {
        let (server, events) = (home.serve(), Events::default());
        let said = home.path("said");
        let mut moving = home.command(&[&move_to(to)[..], &["--json", "--lang", "en"]].concat());
        moving.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
        let moved = thread::scope(|scope| {
            let _end = EndOfShifts(&events);
            for worker in &mut workers {
                let mut shift = Shift::new(worker, &home, &server, &events, false);
                scope.spawn(move || shift.work());
            }
            thread::sleep(Duration::from_millis(300));
            // Changes may be refused from now on.
            events.database.fetch_add(1, Ordering::SeqCst);
            let mut killed = home.command(&move_to(to));
            killed.env("JINGKU_FAILPOINT", failpoint).stderr(Stdio::null());
            if failpoint == "migrate.database_retired" {
                events.down.store(true, Ordering::SeqCst);
            }
            assert_killed(killed.status().unwrap(), failpoint);
            if failpoint != "migrate.database_retired" {
                assert!(server.get("/healthz").contains("ok") || server.readiness().contains("200 OK"));
                thread::sleep(Duration::from_millis(300));
            }
            let mut moving = moving.spawn().unwrap();
            until("no change is possible", || {
                fs::read_to_string(&said).unwrap().contains("changes wait or are refused")
            });
            // The server ends soon.
            events.down.store(true, Ordering::SeqCst);
            assert!(wait(&mut moving).success(), "{}", fs::read_to_string(&said).unwrap());
            std::io::read_to_string(moving.stdout.take().unwrap()).unwrap()
        });
        assert_ended(server);
        let moved: Value = serde_json::from_str(&moved).unwrap();
        let (written, rows) = (moved["WrittenRows"].as_u64(), moved["Rows"].as_u64());
        assert!(written < rows || failpoint == "migrate.database_page:3", "{failpoint}: {moved}");
        settled(&home, &[], &mut workers, &format!("{failpoint} {to}"));
    }
    let images = workers.iter().flat_map(|worker| &worker.images);
    assert!(images.filter(|known| known.places == Places::LISTED).count() > 0);
    assert!(workers.iter().map(|worker| worker.answered).sum::<u64>() > 100);
}

/// The rows, from the environment.
fn many() -> u64 {
    number("JINGKU_MOVED_ROWS", 1_000_000)
}

/// Multiplies the images of a catalogue in a file.
fn multiply_images(home: &Home) {
    let catalog = rusqlite::Connection::open(home.data().join("catalog.db")).unwrap();
    let mut columns = catalog.prepare("SELECT name FROM pragma_table_info('images')").unwrap();
    let columns = columns.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let values = columns.map(|name| match name.unwrap().as_str() {
        name @ ("id" | "name") => format!("{name} || '-' || n"),
        name @ ("seq" | "ordinal") => format!("{name} + n"),
        name => name.to_owned(),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO images SELECT {values} FROM numbers JOIN (SELECT * FROM images WHERE deleted_at IS NULL LIMIT 1)"
    );
    catalog.execute(&sql, [i64::try_from(many()).unwrap()]).unwrap();
}

#[test]
#[ignore = "takes minutes: run it with --nocapture"]
fn many_rows_move_in_bounded_memory() {
    let (Some(url), home) = (empty_database(), home()) else { return };
    multiply_images(&home);
    for to in [url.as_str(), "sqlite"] {
        let begun = Instant::now();
        let mut moving = home.command(&[&move_to(to)[..], &["--json"]].concat());
        let said = home.path("said");
        moving.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
        let mut moving = moving.spawn().unwrap();
        let (mut peak, mut frozen) = (0, None);
        let status = loop {
            if let Some(status) = moving.try_wait().unwrap() {
                break status;
            }
            peak = memory_peak(moving.id()).unwrap_or(peak);
            if frozen.is_none() && fs::read_to_string(&said).unwrap().contains("changes wait") {
                frozen = Some(Instant::now());
            }
            thread::sleep(Duration::from_millis(50));
        };
        assert!(status.success(), "{}", fs::read_to_string(&said).unwrap());
        let frozen = frozen.expect("it says so").elapsed();
        let (rows, mib) = (many(), peak >> 20);
        println!("{rows} rows to {to}: {:?}, of that frozen {frozen:?}, peak {mib} MiB", begun.elapsed());
        assert!(mib < 64, "{mib} MiB");
    }
}
