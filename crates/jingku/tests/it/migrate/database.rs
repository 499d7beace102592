//! `jingku migrate-database`.

use jingku_catalog::testing::postgres_database;

use crate::crash::{assert_intact, assert_killed};
use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

pub(crate) const FAILPOINTS: [&str; 5] = [
    "migrate.database_announced",
    "migrate.database_copied",
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
                "migrate.database_announced" | "migrate.database_copied" => {
                    accounts += 1;
                    home.run(&["account", "create", &format!("account-{accounts}")]).succeeded();
                    home.run(&move_to(to)).succeeded();
                }
                "migrate.database_retired" | "migrate.database_placed" => {
                    home.run(&["account", "list"]).failed(1, &["The catalogue is in"]);
                    refuse_start(&home, None, "or a move there was interrupted", "迁移被中断");
                    home.run(&move_to(to)).succeeded();
                }
                _ => drop(home.run(&move_to(to)).failed(1, &["already"])),
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
    let server = home.serve();
    home.refuses(&move_to(&url), 5, &["A server uses", "Stop it first"], &["请先停止"]);
    server.stop();
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
