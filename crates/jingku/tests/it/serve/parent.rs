//! `jingku serve --exit-with-parent`: the server ends with its parent.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use jingku_testing::Server as TestServer;
use rustix::process::{Pid, Signal, kill_process};

use crate::home::{Home, until};
use crate::server::wait;

const SERVE: &str = "serve --ephemeral --listen 127.0.0.1:0 --exit-with-parent";

/// The rest of the first line of a process's output from `start` on.
fn line(child: &mut Child, start: &str) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    lines.find_map(|line| line.find(start).map(|at| line[at..].to_owned())).expect(start)
}

fn answers(base_url: &str) -> bool {
    TcpStream::connect(base_url.strip_prefix("http://").unwrap()).is_ok()
}

fn assert_ends_with(mut parent: Child, base_url: &str, signal: Signal) {
    assert!(answers(base_url));
    kill_process(Pid::from_child(&parent), signal).unwrap();
    wait(&mut parent);
    until("the server has ended", || !answers(base_url));
}

#[test]
fn it_ends_when_its_parent_is_killed() {
    let home = Home::new();
    for signal in [Signal::KILL, Signal::TERM] {
        // Standard input is no pipe here, so only the parent's end counts.
        let script = format!("'{}' {SERVE} </dev/null & wait", env!("CARGO_BIN_EXE_jingku"));
        let mut shell = home.other_command("sh", &["-c", &script]);
        let mut shell = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let base_url = line(&mut shell, "http://");
        assert_ends_with(shell, base_url.trim(), signal);
    }
}

#[test]
fn it_ends_when_its_standard_input_is_closed_even_behind_a_wrapper() {
    let home = Home::new();
    let script = format!("'{}' {SERVE}; exit 0", env!("CARGO_BIN_EXE_jingku"));
    let mut shell = home.other_command("sh", &["-c", &script]);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut shell = shell.spawn().unwrap();
    let base_url = line(&mut shell, "http://");
    assert!(answers(base_url.trim()));
    drop(shell.stdin.take());
    assert_eq!(wait(&mut shell).code(), Some(0), "the wrapper ends after the server");
}

#[test]
fn without_the_option_it_keeps_running() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--ephemeral", "--listen", "127.0.0.1:0"]);
    command.stdin(Stdio::piped());
    let mut server = crate::server::Server::start(&mut command);
    server.close_stdin();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(server.get("/healthz"), "ok\n");
}

#[test]
fn a_killed_test_process_leaves_no_server() {
    for signal in [Signal::KILL, Signal::TERM] {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--ignored", "--exact", "serve::parent::starts_a_server_and_waits", "--nocapture"]);
        let mut test = test.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let base_url = line(&mut test, "http://");
        assert_ends_with(test, base_url.trim(), signal);
    }
}

/// A thread that has ended started the server, as for a fixture that tests share.
#[test]
#[ignore = "run, and killed, by the test above"]
fn starts_a_server_and_waits() {
    let start = || TestServer::start_program(env!("CARGO_BIN_EXE_jingku").as_ref(), None).unwrap();
    let server = std::thread::spawn(start).join().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    println!("{}", server.base_url);
    std::thread::sleep(crate::home::PATIENCE);
}
