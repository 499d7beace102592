//! A fault in the background is logged and repaired, and seen from outside when it stays.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::disk;
use crate::home::{Home, until};
use crate::server::Server;

fn serve(home: &Home, panic: &str) -> Server {
    Server::start(home.command(&["serve", "--listen", "127.0.0.1:0"]).env("JINGKU_PANIC", panic))
}

/// Status and body of `/readyz`.
fn ready(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: jingku\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_loop_that_panics_is_started_again() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = serve(&home, "usage.begun:4");
    until("it is seen", || ready(&server).starts_with("HTTP/1.1 503 "));
    assert!(ready(&server).contains("counting use failed 3 times in a row"), "{}", ready(&server));
    // Everything else keeps working.
    let id = home.make("uhost-1", "env");
    assert_eq!(home.bytes(&id), disk::bytes(1, 0));
    until("it runs again", || ready(&server).starts_with("HTTP/1.1 200 "));
    let log = server.log();
    let restarts = log.lines().filter(|line| line.contains("panicked and is restarted")).count();
    assert_eq!(restarts, 4, "logged once each: {log}");
    server.stop();
}

#[test]
fn a_worker_that_panics_before_it_has_a_job_is_started_again() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = serve(&home, "worker.before_claim:6");
    home.make("uhost-1", "env");
    server.stop();
}

/// On the thread that reads the disk, and in the loop that waits for it.
#[test]
fn a_panic_in_one_job_fails_this_job_alone() {
    for point in ["make.begun:1", "make.claimed:1", "make.before_row:1"] {
        let home = Home::new();
        home.add_instance("uhost-1", &disk::bytes(1, 0));
        let server = serve(&home, point);
        let create = ["image", "create", "--instance", "uhost-1", "--name", "env", "--wait"];
        home.run(&create).failed(1, &["Ask the operator"]);
        // Its name and its instance are free, and the server is well.
        let id = home.make("uhost-1", "env");
        assert_eq!(home.bytes(&id), disk::bytes(1, 0), "{point}");
        assert_eq!(server.get("/readyz"), "ready\n");
        server.stop();
    }
}
