//! Servers whose clocks differ by minutes: leases have the time of the database.

use std::path::Path;

use super::{Host, Shared};
use crate::disk;
use crate::server::Server;

/// Debian's place of the library that gives a process another time, after the architecture.
const FAKE_TIME: &str = "faketime/libfaketimeMT.so.1";

/// Starts a server whose clock is wrong by this time; `None` where that is not possible, except in CI.
fn serve_at(host: &Host, offset: &str) -> Option<Server> {
    let library = Path::new("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH)).join(FAKE_TIME);
    if !library.exists() {
        assert!(std::env::var_os("CI").is_none(), "no {}: install faketime", library.display());
        println!("skipped: faketime is not installed");
        return None;
    }
    let mut command = host.serve_command();
    // The time that passes is that of the machine.
    command.env("LD_PRELOAD", library).env("FAKETIME", offset).env("DONT_FAKE_MONOTONIC", "1");
    Some(Server::start(&mut command))
}

#[test]
fn servers_work_together_although_their_clocks_differ() {
    let Some(shared) = Shared::new() else { return };
    let [a, b] = ["a", "b"].map(|name| shared.host(name, ""));
    let Some(server_a) = serve_at(&a, "-10m") else { return };
    let server_b = serve_at(&b, "+10m").expect("the library exists");
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    b.add_instance("uhost-b", &disk::bytes(7, 2));
    // Each is the only server that is alive in its own time.
    assert!(["a", "b"].iter().all(|name| a.status_of(name)["Live"] == true));
    let ids = [b.make("uhost-a", "of-a"), a.make("uhost-b", "of-b")];
    assert!(b.bytes(&ids[0]) == disk::bytes(5, 1) && a.bytes(&ids[1]) == disk::bytes(7, 2));
    assert_eq!([&server_a, &server_b].map(|server| server.log().matches("image made").count()), [1; 2]);
    // A sweep compares no times with those of other machines.
    a.run(&["image", "delete", &ids[1]]).succeeded();
    b.run(&["trash", "empty"]).succeeded();
    assert_eq!(a.json(&["sweep"])["Manifests"], 1);
    b.assert_intact();
    server_a.stop();
    server_b.stop();
}
