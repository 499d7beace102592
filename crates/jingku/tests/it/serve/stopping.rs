//! A stopped server ends in time and leaves no process behind, whatever it is doing.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::disk;
use crate::home::{Home, until};
use crate::qemu;
use crate::server::Server;

/// A home with an image that waits for `qemu-img`, replaced by a script that sleeps for ten minutes.
struct Scene {
    home: Home,
    server: Server,
}

impl Scene {
    /// `None` without QEMU, which creates the disk.
    fn new() -> Option<Self> {
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
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let server = home.serve_with(&[], &[("PATH", &path)]);
        home.run(&["image", "create", "--instance", "uhost-1", "--name", "env"]).succeeded();
        let scene = Self { home, server };
        until("qemu-img runs", || scene.pid_file().metadata().is_ok_and(|file| file.len() > 1));
        assert!(!scene.processes().is_empty());
        Some(scene)
    }

    fn pid_file(&self) -> PathBuf {
        self.home.path("pid")
    }

    /// The processes of the group of `qemu-img`, without zombies.
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
        until("qemu-img and its children have ended", || self.processes().is_empty());
    }
}

#[test]
fn a_stop_ends_a_conversion_and_releases_the_job() {
    let Some(mut scene) = Scene::new() else { return };
    let started = Instant::now();
    scene.server.signal(Signal::TERM);
    assert_eq!(scene.server.wait().code(), Some(0), "{}", scene.server.log());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(scene.server.log().contains("job given back"), "{}", scene.server.log());
    scene.assert_nothing_left();
    let scratch = std::fs::read_dir(scene.home.data().join("scratch")).unwrap();
    assert_eq!(scratch.count(), 0, "scratch files are left");
    // With the real program the image is created.
    let server = scene.home.serve();
    let list = scene.home.json(&["image", "list"]);
    let id = list["ImageSet"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    scene.home.run(&["image", "progress", &id, "--wait"]).succeeded();
    server.stop();
}

#[test]
fn deleting_the_image_ends_the_conversion() {
    let Some(scene) = Scene::new() else { return };
    let list = scene.home.json(&["image", "list"]);
    let id = list["ImageSet"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    scene.home.run(&["image", "delete", &id]).succeeded();
    scene.assert_nothing_left();
    scene.server.stop();
}

#[test]
fn a_conversion_ends_with_a_killed_server() {
    let Some(mut scene) = Scene::new() else { return };
    scene.server.signal(Signal::KILL);
    scene.server.wait();
    scene.assert_nothing_left();
}

/// After the first signal the server waits for an unfinished request; the second ends it.
#[test]
fn a_second_signal_ends_the_server_at_once() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let Some(mut scene) = Scene::new() else { return };
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

/// A thread may block for ever on a disk that does not answer.
#[test]
fn a_blocked_thread_does_not_prevent_a_stop() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let mut server = home.serve_with(&[], &[("JINGKU_STALL", "make.begun")]);
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
