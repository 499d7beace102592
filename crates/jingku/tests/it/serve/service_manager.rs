//! The messages of a service of `Type=notify`.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;

use crate::home::{Home, PATIENCE};

struct Manager(UnixDatagram);

impl Manager {
    fn new(home: &Home) -> Self {
        let socket = UnixDatagram::bind(home.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn receive(&self) -> String {
        let mut message = [0; 1024];
        let length = self.0.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap().trim_end().to_owned()
    }
}

#[test]
fn the_manager_hears_ready_alive_and_stopping() {
    let home = Home::new();
    let manager = Manager::new(&home);
    let socket = home.path("notify");
    let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "400000")];
    let mut server = home.serve_with(&[], &variables);
    assert_eq!(manager.receive(), "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.receive(), "WATCHDOG=1");
    }
    server.signal(Signal::TERM);
    let mut last = manager.receive();
    while last == "WATCHDOG=1" {
        last = manager.receive();
    }
    assert_eq!(last, "STOPPING=1");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

#[test]
fn without_a_watchdog_only_start_and_stop_are_sent() {
    let home = Home::new();
    let manager = Manager::new(&home);
    let socket = home.path("notify");
    let mut server = home.serve_with(&[], &[("NOTIFY_SOCKET", socket.to_str().unwrap())]);
    assert_eq!(manager.receive(), "READY=1");
    server.signal(Signal::TERM);
    assert_eq!(manager.receive(), "STOPPING=1");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

#[test]
fn a_missing_manager_does_not_stop_the_server() {
    let home = Home::new();
    let server = home.serve_with(&[], &[("NOTIFY_SOCKET", "/nonexistent/notify")]);
    assert_eq!(server.get("/readyz"), "ready\n");
    server.stop();
}
