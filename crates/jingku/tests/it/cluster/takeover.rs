//! Servers that die, stall, or are replaced.

use std::thread;

use rustix::process::Signal;

use super::Shared;
use crate::crash::assert_killed;
use crate::disk;
use crate::home::until;
use crate::server::Server;

#[test]
fn a_server_killed_in_the_middle_of_an_image_is_replaced_when_its_lease_ends() {
    let Some(shared) = Shared::new() else { return };
    let [a, b] = ["a", "b"].map(|name| shared.host(name, ""));
    let mut server_a = Server::start(a.serve_command().env("JINGKU_FAILPOINT", "store.chunk_put:3"));
    let server_b = b.serve();
    a.add_instance("uhost-a", &disk::bytes(9, 1));
    b.run(&["image", "create", "--instance", "uhost-a", "--name", "x"]).succeeded();
    assert_killed(server_a.wait(), "store.chunk_put:3");
    // The others answer.
    assert_eq!(b.image("x").unwrap()["Status"], "Making");
    // A new machine with the same name, the same disks, and a new data directory.
    let replacement = shared.host("a", "");
    assert!(replacement.refused().contains("has the host name a"));
    let server = replacement.serve_when_free("a");
    b.until_made("x");
    let id = b.image("x").unwrap()["CompShareImageId"].as_str().unwrap().to_owned();
    assert!(b.bytes(&id) == disk::bytes(9, 1));
    assert_eq!(b.status_of("a")["Instances"], 1);
    b.assert_intact();
    server.stop();
    server_b.stop();
}

/// A server that sleeps while it makes an image wakes up after another one has its name. It ends without having changed
/// anything.
#[test]
fn a_server_that_was_replaced_while_it_slept_ends_without_a_result() {
    let Some(shared) = Shared::new() else { return };
    let a = shared.host("a", "");
    let mut sleeper = Server::start(a.serve_command().env("JINGKU_STALL", "make.before_row"));
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    a.run(&["image", "create", "--instance", "uhost-a", "--name", "x"]).succeeded();
    until("the job runs", || a.1.runs_job("a"));
    sleeper.signal(Signal::STOP);
    let replacement = shared.host("a", "");
    let server = replacement.serve_when_free("a");
    replacement.until_made("x");
    sleeper.signal(Signal::CONT);
    assert!(!sleeper.wait().success());
    assert!(sleeper.log().contains("another server has got the name"), "{}", sleeper.log());
    assert_eq!(replacement.status_of("a")["Live"], true);
    let id = replacement.image("x").unwrap()["CompShareImageId"].as_str().unwrap().to_owned();
    assert!(replacement.bytes(&id) == disk::bytes(5, 1));
    replacement.assert_intact();
    server.stop();
}

/// Images are made and deleted on two servers while a third one sweeps. Then one is killed and starts again.
#[test]
fn no_chunk_that_is_needed_is_swept_by_another_server() {
    let Some(shared) = Shared::new() else { return };
    let [a, b, c] = ["a", "b", "c"].map(|name| shared.host(name, ""));
    let mut server_a = a.serve();
    let servers = [b.serve(), c.serve()];
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    // Half of the content is the same.
    let mut bytes = disk::bytes(5, 1);
    let half = bytes.len() / 2;
    bytes[half..].copy_from_slice(&disk::bytes(5, 2)[half..]);
    b.add_instance("uhost-b", &bytes);
    thread::scope(|scope| {
        let sweeping = scope.spawn(|| {
            for _ in 0..4 {
                c.run(&["trash", "empty"]).succeeded();
                c.run(&["sweep"]).succeeded();
            }
        });
        for (host, instance) in [(&a, "uhost-b"), (&b, "uhost-a")] {
            scope.spawn(move || {
                for round in 0..2 {
                    let id = host.make(instance, &format!("{instance}-{round}"));
                    if round == 0 {
                        host.run(&["image", "delete", &id]).succeeded();
                    }
                }
            });
        }
        sweeping.join().unwrap();
    });
    server_a.kill();
    let server_a = a.serve();
    c.run(&["trash", "empty"]).succeeded();
    c.run(&["sweep"]).succeeded();
    c.assert_intact();
    let id = |name: &str| c.image(name).unwrap()["CompShareImageId"].as_str().unwrap().to_owned();
    assert!(c.bytes(&id("uhost-a-1")) == disk::bytes(5, 1) && a.bytes(&id("uhost-b-1")) == bytes);
    server_a.stop();
    for server in servers {
        server.stop();
    }
}
