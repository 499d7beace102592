//! Files removed while the server runs: it reports that it is not ready, and refuses changes that would be lost.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

const KEYS: [(&str, &str); 2] = [("JINGKU_PUBLIC_KEY", "public"), ("JINGKU_PRIVATE_KEY", "private")];

fn is_ready(server: &Server) -> bool {
    server.readiness().starts_with("HTTP/1.1 200 ")
}

/// A command that needs nothing from the data directory.
fn run(home: &Home, server: &Server, args: &[&str]) -> Ended {
    Ended::of(home.command(args).envs(KEYS).env("JINGKU_BASE_URL", &server.base_url))
}

struct Lost {
    home: Home,
    server: Server,
    image: String,
}

impl Lost {
    /// A server with an image that can be renamed.
    fn start() -> Self {
        let home = Home::new();
        home.add_instance("uhost-1", &disk::bytes(1, 0));
        let server = home.serve_with(&[], &KEYS);
        let create = ["image", "create", "--instance", "uhost-1", "--name", "first", "--wait", "--json"];
        let image: Value = serde_json::from_str(&run(&home, &server, &create).succeeded().out).unwrap();
        let image = image["CompShareImageId"].as_str().unwrap().to_owned();
        assert!(is_ready(&server));
        Self { home, server, image }
    }

    fn rename(&self, name: &str) -> Ended {
        run(&self.home, &self.server, &["image", "update", &self.image, "--name", name])
    }

    /// Removes something, and asserts that changes are refused until it is restored.
    fn without(&self, what: &str, remove: impl FnOnce(), restore: impl FnOnce()) {
        let name = what.replace(' ', "-");
        self.rename(&name).succeeded();
        remove();
        let answer = self.server.readiness();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("not ready: "), "{what}: {answer}");
        self.rename("lost").failed(6, &["Service Error"]);
        assert_eq!(self.server.get("/healthz"), "ok\n");
        restore();
        assert!(is_ready(&self.server), "{what}: {}", self.server.readiness());
        self.rename(&format!("{name}-again")).succeeded();
    }
}

fn aside(path: &Path) -> std::path::PathBuf {
    path.with_file_name(format!("{}.aside", path.file_name().unwrap().to_str().unwrap()))
}

#[test]
fn changes_that_would_be_lost_are_refused() {
    let lost = Lost::start();
    let data = lost.home.data();
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        let path = data.join(name);
        let put_aside = || fs::rename(&path, aside(&path)).unwrap();
        let put_back = || fs::rename(aside(&path), &path).unwrap();
        lost.without(name, put_aside, put_back);
        let replace = || {
            put_aside();
            fs::copy(aside(&path), &path).unwrap();
        };
        lost.without(&format!("the same {name}"), replace, put_back);
    }
    let put_aside = || fs::rename(&data, aside(&data)).unwrap();
    lost.without("the folder", put_aside, || fs::rename(aside(&data), &data).unwrap());
    let replace = || {
        fs::rename(&data, aside(&data)).unwrap();
        fs::create_dir(&data).unwrap();
    };
    let put_back = || {
        fs::remove_dir_all(&data).unwrap();
        fs::rename(aside(&data), &data).unwrap();
    };
    lost.without("the same folder", replace, put_back);

    // Every acknowledged change is there after a restart.
    let Lost { home, server, .. } = lost;
    server.stop();
    let server = home.serve_with(&[], &KEYS);
    let listed = run(&home, &server, &["image", "list", "--json"]).succeeded().out;
    assert!(listed.contains("\"the-same-folder-again\""), "{listed}");
}

#[test]
fn a_command_creates_no_second_catalogue_beside_a_server() {
    let home = Home::new();
    let server = home.serve();
    home.run(&["account", "create", "first"]).succeeded();
    fs::remove_file(home.data().join("catalog.db")).unwrap();
    home.refuses(
        &["account", "create", "second"],
        6,
        &["catalog.db is gone", "Stop the server"],
        &["catalog.db 不见了", "停止该服务"],
    );
    assert!(!home.data().join("catalog.db").exists());
    assert!(!is_ready(&server));
}

/// They would read old data, and their changes would be lost when the server stops.
#[test]
fn commands_refuse_a_catalogue_that_is_not_the_servers() {
    let lost = Lost::start();
    let data = lost.home.data();
    let path = |name: &str| data.join(name);
    let commands: [&[&str]; 4] =
        [&["account", "create", "second"], &["key", "create"], &["sweep"], &["usage"]];
    let refuse = |english: &str, chinese: &str| {
        for args in commands {
            lost.home.refuses(args, 6, &[english, "Nothing was changed"], &[chinese, "未做任何改动"]);
        }
    };
    for names in [&["catalog.db-wal"][..], &["catalog.db-shm"], &["catalog.db-wal", "catalog.db-shm"]] {
        for name in names {
            fs::rename(path(name), aside(&path(name))).unwrap();
        }
        refuse("which it writes, is gone", "不见了");
        for name in names {
            fs::rename(aside(&path(name)), path(name)).unwrap();
        }
    }
    let catalog = path("catalog.db");
    fs::rename(&catalog, aside(&catalog)).unwrap();
    std::os::unix::fs::symlink(aside(&catalog), &catalog).unwrap();
    refuse("is a link", "是一个链接");
    assert!(!is_ready(&lost.server));
    fs::rename(aside(&catalog), &catalog).unwrap();
    assert!(is_ready(&lost.server));
    lost.rename("again").succeeded();
    lost.home.run(&["sweep"]).succeeded();
    lost.home.run(&["check", "--read-data"]).succeeded();
}

#[test]
fn a_server_is_not_ready_without_its_store() {
    let lost = Lost::start();
    let data = lost.home.data();
    for name in ["store", "store/chunks", "store/tmp", "uploads", "scratch"] {
        let path = data.join(name);
        fs::rename(&path, aside(&path)).unwrap();
        let answer = lost.server.readiness();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(path.to_str().unwrap()), "{answer}");
        fs::rename(aside(&path), &path).unwrap();
        assert!(is_ready(&lost.server), "{name}");
    }
}
