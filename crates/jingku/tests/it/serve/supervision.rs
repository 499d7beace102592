//! A panic in the background is logged and the task restarted; `/readyz` reports repeated ones.

use crate::disk;
use crate::home::{Home, until};
use crate::server::Server;

fn serve(home: &Home, panic: &str) -> Server {
    home.serve_with(&[], &[("JINGKU_PANIC", panic)])
}

#[test]
fn a_panicking_background_task_is_restarted() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = serve(&home, "usage.begun:4");
    until("the panic is reported", || server.readiness().starts_with("HTTP/1.1 503 "));
    assert!(server.readiness().contains("counting use failed 3 times in a row"), "{}", server.readiness());
    // Everything else keeps working.
    let id = home.make("uhost-1", "env");
    assert_eq!(home.bytes(&id), disk::bytes(1, 0));
    until("the task runs again", || server.readiness().starts_with("HTTP/1.1 200 "));
    let log = server.log();
    let restarts = log.lines().filter(|line| line.contains("panicked and is restarted")).count();
    assert_eq!(restarts, 4, "logged once each: {log}");
    server.stop();
}

#[test]
fn a_worker_that_panics_before_it_has_a_job_is_restarted() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = serve(&home, "worker.before_claim:6");
    home.make("uhost-1", "env");
    server.stop();
}

/// Both in the thread that reads the disk and in the task that waits for it.
#[test]
fn a_panic_in_a_job_fails_only_this_job() {
    for point in ["make.begun:1", "make.claimed:1", "make.before_row:1"] {
        let home = Home::new();
        home.add_instance("uhost-1", &disk::bytes(1, 0));
        let server = serve(&home, point);
        let create = ["image", "create", "--instance", "uhost-1", "--name", "env", "--wait"];
        home.run(&create).failed(1, &["Ask the operator"]);
        // Its name and instance can be used again, and the server is ready.
        let id = home.make("uhost-1", "env");
        assert_eq!(home.bytes(&id), disk::bytes(1, 0), "{point}");
        assert_eq!(server.get("/readyz"), "ready\n");
        server.stop();
    }
}
