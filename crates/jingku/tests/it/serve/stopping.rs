//! However a server is stopped, and whatever runs, it ends in time and leaves no process behind.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::disk;
use crate::home::{Home, until};
use crate::qemu;
use crate::server::Server;

/// A home with an image in the making that needs `qemu-img`, which sleeps for ten minutes instead.
struct Scene {
    home: Home,
    server: Server,
}

impl Scene {
    /// `None` where QEMU is not installed: it makes the disk.
    fn set() -> Option<Self> {
        if !qemu::present() {
            return None;
        }
        let home = Home::new();
        let (raw, disk) = (home.path("disk.raw"), home.path("disk.qcow2"));
        disk::write(&raw, &disk::bytes(2, 1));
        let (from, to) = (raw.to_str().unwrap(), disk.to_str().unwrap());
        qemu::img(&["convert", "-O", "qcow2", "-c", "-o", "compression_type=zstd", from, to]);
        home.add_disk("uhost-1", &disk);
        let programs = home.path("programs");
        std::fs::create_dir(&programs).unwrap();
        let fake = programs.join("qemu-img");
        let script = format!("#!/bin/sh\necho $$ >'{}'\nsleep 600\n", home.path("pid").display());
        std::fs::write(&fake, script).unwrap();
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut serve = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let path = std::env::var("PATH").unwrap();
        let server = Server::start(serve.env("PATH", format!("{}:{path}", programs.display())));
        home.run(&["image", "create", "--instance", "uhost-1", "--name", "env"]).succeeded();
        let scene = Self { home, server };
        until("qemu-img runs", || scene.pid_file().metadata().is_ok_and(|file| file.len() > 1));
        assert!(!scene.processes().is_empty());
        Some(scene)
    }

    fn pid_file(&self) -> PathBuf {
        self.home.path("pid")
    }

    /// All processes of the group that `qemu-img` is in. A zombie does not count: it only waits for its parent.
    fn processes(&self) -> Vec<String> {
        let pid = std::fs::read_to_string(self.pid_file()).unwrap();
        let listed = Command::new("ps").args(["-eo", "pid=,ppid=,pgid=,stat=,args="]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let lines = || listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let marker = self.pid_file();
        let marker = marker.parent().unwrap().to_str().unwrap();
        let group = lines().find(|line| line[0] == pid.trim()).map(|line| line[2].to_owned());
        lines()
            .filter(|line| !line[3].starts_with('Z'))
            .filter(|line| {
                group.as_deref() == Some(line[2])
                    || (line[4..].join(" ").contains(marker) && line[4..].join(" ").contains("qemu-img"))
            })
            .map(|line| line.join(" "))
            .collect()
    }

    fn assert_nothing_left(&self) {
        until("qemu-img and what it started are gone", || self.processes().is_empty());
    }
}

#[test]
fn a_stop_ends_a_conversion_and_gives_the_job_back() {
    let Some(mut scene) = Scene::set() else { return };
    let started = Instant::now();
    scene.server.signal(Signal::TERM);
    assert_eq!(scene.server.wait().code(), Some(0), "{}", scene.server.log());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(scene.server.log().contains("job given back"), "{}", scene.server.log());
    scene.assert_nothing_left();
    let scratch = std::fs::read_dir(scene.home.data().join("scratch")).unwrap();
    assert_eq!(scratch.count(), 0, "half a copy is left");
    // With the right program it is made.
    let server = scene.home.serve();
    let list = scene.home.json(&["image", "list"]);
    let id = list["ImageSet"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    scene.home.run(&["image", "progress", &id, "--wait"]).succeeded();
    server.stop();
}

#[test]
fn deleting_the_image_ends_the_conversion() {
    let Some(scene) = Scene::set() else { return };
    let list = scene.home.json(&["image", "list"]);
    let id = list["ImageSet"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    scene.home.run(&["image", "delete", &id]).succeeded();
    scene.assert_nothing_left();
    scene.server.stop();
}

#[test]
fn a_killed_server_takes_the_conversion_with_it() {
    let Some(mut scene) = Scene::set() else { return };
    scene.server.signal(Signal::KILL);
    scene.server.wait();
    scene.assert_nothing_left();
}

/// A request that does not end makes the first signal wait; the second does not.
#[test]
fn a_second_signal_ends_the_server_at_once() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let Some(mut scene) = Scene::set() else { return };
        let _request = super::Halfway::open(&scene.server);
        scene.server.signal(Signal::TERM);
        until("the listener is closed", || std::net::TcpStream::connect(scene.server.address()).is_err());
        let started = Instant::now();
        scene.server.signal(signal);
        assert_eq!(scene.server.wait().code(), Some(code), "{}", scene.server.log());
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        scene.assert_nothing_left();
    }
}

/// A thread that does not come back, as from a disk that does not answer, is not waited for.
#[test]
fn a_thread_that_does_not_stop_is_cut_off() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let mut serve = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = Server::start(serve.env("JINGKU_STALL", "make.begun"));
    let create = home.run(&["image", "create", "--instance", "uhost-1", "--name", "env"]).succeeded();
    until("the job is claimed", || server.log().contains("making image"));
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    let server = home.serve();
    home.run(&["image", "progress", create.out.trim(), "--wait"]).succeeded();
    server.stop();
}
