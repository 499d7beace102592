//! A data folder whose catalogue is a PostgreSQL database.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jingku_catalog::testing::postgres_database;
use serde_json::Value;

use crate::disk;
use crate::home::{Home, files_below};
use crate::server::Server;

/// An empty database; `None` where PostgreSQL is not installed.
fn database() -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(postgres_database())
}

/// A configuration file that names a database.
fn config(home: &Home, name: &str, url: &str) -> String {
    home.file(name, format!("database = \"{url}\"\n").as_bytes())
}

fn names(home: &Home, at: &[&str]) -> Vec<String> {
    let list = home.json(&[&["image", "list", "--all"], at].concat());
    let images = list["ImageSet"].as_array().unwrap().iter();
    images.map(|image| image["Name"].as_str().unwrap().to_owned()).collect()
}

/// The catalogue file exists in no folder below.
fn has_no_file(folder: &Path) -> bool {
    !files_below(folder.to_owned()).keys().any(|path| path.ends_with("catalog.db"))
}

/// Only `serve` is given the configuration: every other command finds the database in the data folder.
#[test]
fn every_command_finds_the_database() {
    let Some(url) = database() else { return };
    let home = Home::with_database(None);
    let config = config(&home, "jingku.toml", &url);
    let server = home.serve_with(&["--config", &config], &[]);
    home.add_instance("uhost-1", &disk::bytes(5, 1));
    let id = home.make("uhost-1", "one");
    assert_eq!(home.json(&["account", "create", "other"])["AccountId"], 2);
    let key = home.json(&["key", "create", "--account", "2"]);
    home.run(&["key", "revoke", key["PublicKey"].as_str().unwrap()]).succeeded();
    assert_eq!(home.json(&["check", "--read-data"])["Clean"], true);
    assert_eq!(home.json(&["usage"])["Live"]["Images"], 1);
    home.run(&["image", "delete", &id]).succeeded();
    home.run(&["trash", "restore", &id]).succeeded();
    assert_eq!(home.json(&["sweep"])["Files"], 0);
    assert!(server.readiness().starts_with("HTTP/1.1 200 "), "{}", server.readiness());
    server.stop();
    // Without the configuration, the server uses the same database.
    let server = home.serve();
    assert_eq!(names(&home, &[]), ["one"]);
    assert_eq!(home.bytes(&id), disk::bytes(5, 1));
    server.stop();
    assert!(has_no_file(&home.data()));
    let mode = home.data().join("database").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_folder_and_a_database_that_do_not_belong_together_are_refused() {
    let (Some(url), Some(empty)) = (database(), database()) else { return };
    let home = Home::with_database(None);
    let (config, other_config) = (config(&home, "a.toml", &url), config(&home, "b.toml", &empty));
    let server = home.serve_with(&["--config", &config], &[]);
    home.add_instance("uhost-1", &disk::bytes(5, 1));
    home.make("uhost-1", "one");
    server.stop();
    let serve = |more: &[&str], words: &[&str], chinese: &str| {
        let args = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let refused = Server::try_start(&mut home.command(&args)).err().expect("it is refused");
        for word in words {
            assert!(refused.1.contains(word), "{}", refused.1);
        }
        let args = [&args[..], &["--lang", "zh"]].concat();
        let refused = Server::try_start(&mut home.command(&args)).err().expect("it is refused");
        assert!(refused.1.contains(chinese), "{}", refused.1);
    };
    // A new database for a folder with images.
    serve(&["--config", &other_config], &["The database is empty"], "数据库是空的");
    // A new folder for a database with images.
    let new = home.path("new");
    let new = new.to_str().unwrap();
    serve(
        &["--config", &config, "--data-dir", new],
        &["belongs to another data directory"],
        "属于另一个数据目录",
    );
    // A folder whose catalogue is a file.
    let file = home.path("file");
    let file = file.to_str().unwrap();
    home.serve_with(&["--data-dir", file], &[]).stop();
    serve(
        &["--config", &other_config, "--data-dir", file],
        &["in its file catalog.db"],
        "在文件 catalog.db 中",
    );
    // The folder lost the file that names its database: no new catalogue is created.
    let record = home.data().join("database");
    let aside = home.path("aside");
    std::fs::rename(&record, &aside).unwrap();
    serve(&[], &["is gone or empty, but the store has images"], "丢失或为空");
    serve(&["--config", &config], &["belongs to another data directory"], "属于另一个数据目录");
    home.run(&["usage"]).failed(6, &["is gone or empty, but the store has images"]);
    std::fs::write(&record, "nonsense").unwrap();
    serve(&[], &["is not valid: it must name the database"], "有误");
    std::fs::rename(&aside, &record).unwrap();
    let server = home.serve();
    assert_eq!(names(&home, &[]), ["one"]);
    server.stop();
}

#[test]
fn a_wrong_url_is_refused_without_showing_its_password() {
    let home = Home::with_database(None);
    for url in [
        "mysql://jingku:secret@127.0.0.1/x",
        "postgres://jingku:secret@127.0.0.1:1/x",
        "postgres://jingku:secret@127.0.0.1/x?sslmode=require",
        "postgres://jingku:secret@127.0.0.1/x?sslrootcert=/nonexistent",
    ] {
        let config = config(&home, "jingku.toml", url);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--config", &config];
        for variables in [vec![], vec![("JINGKU_LOG", "trace")]] {
            let refused = Server::try_start(home.command(&serve).envs(variables));
            let refused = refused.err().expect("it is refused").1;
            assert!(
                refused.contains("Cannot open the catalogue") && !refused.contains("secret"),
                "{refused}"
            );
        }
    }
    // A number instead of a text.
    let config = home.file("number.toml", b"# secret\ndatabase = 5\n");
    home.run(&["serve", "--config", &config]).failed(2, &["database = 5"]);
}

/// A backup of a database is a backup like any other: it moves the library to a file, and to another database.
#[test]
fn a_backup_moves_a_library_between_engines() {
    let (Some(url), Some(target)) = (database(), database()) else { return };
    let home = Home::with_database(None);
    let config = config(&home, "a.toml", &url);
    let server = home.serve_with(&["--config", &config], &[]);
    for number in 0..3 {
        home.add_instance(&format!("uhost-{number}"), &disk::bytes(5, number));
        home.make(&format!("uhost-{number}"), &format!("image-{number}"));
    }
    let backup = home.path("backup");
    let backup = backup.to_str().unwrap();
    // The server runs.
    assert_eq!(home.json(&["backup", backup, "--with-master-key"])["Images"], 3);
    let expected = names(&home, &[]);
    server.stop();
    let [file, moved] = ["file", "moved"].map(|name| home.path(name).to_str().unwrap().to_owned());
    let restore = ["restore", backup, "--data-dir", &file];
    home.run(&restore).succeeded();
    let serve = |data: &str| home.serve_with(&["--data-dir", data], &[]);
    let server = serve(&file);
    assert_eq!(names(&home, &["--data-dir", &file]), expected);
    server.stop();
    // From the file to the other database, killed on the way.
    let backup = home.path("second");
    let backup = backup.to_str().unwrap();
    home.run(&["backup", backup, "--with-master-key", "--data-dir", &file]).succeeded();
    let restore = ["restore", backup, "--data-dir", &moved];
    for failpoint in ["restore.manifests_durable", "restore.catalog_durable"] {
        let mut command = home.command(&restore);
        command.env("JINGKU_DATABASE", &target).env("JINGKU_FAILPOINT", failpoint);
        crate::crash::assert_killed(command.status().unwrap(), failpoint);
    }
    let restored = home.command(&restore).env("JINGKU_DATABASE", &target).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let server = serve(&moved);
    assert_eq!(names(&home, &["--data-dir", &moved]), expected);
    let checked: Value = home.json(&["check", "--read-data", "--data-dir", &moved]);
    assert_eq!((&checked["Clean"], &checked["Images"]), (&true.into(), &3.into()));
    server.stop();
    assert!(has_no_file(Path::new(&moved)));
    // It is in use now.
    let again = home.path("again");
    let restore = ["restore", backup, "--data-dir", again.to_str().unwrap()];
    let refused = home.command(&restore).env("JINGKU_DATABASE", &target).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("The database is not empty"), "{said}");
}
