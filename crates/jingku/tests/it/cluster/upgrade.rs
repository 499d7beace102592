//! A rolling upgrade. It needs a program of the version before:
//!
//! `JINGKU_OLD_PROGRAM=PATH JINGKU_TEST_CATALOG=postgres cargo test -p jingku --test it cluster::upgrade -- --ignored --nocapture`

use std::env::var_os;
use std::ffi::OsStr;
use std::process::Command;

use super::balancer::free_port;
use super::traffic::{Traffic, assert_kept, assert_used, bytes_of, work_during};
use super::{Host, Shared};
use crate::server::Server;

/// A machine whose server keeps its port.
struct Machine {
    host: Host,
    port: u16,
}

impl Machine {
    fn serve(&self, program: &OsStr) -> Server {
        let command = self.host.serve_command_at(&format!("127.0.0.1:{}", self.port));
        let mut other = Command::new(program);
        other.args(command.get_args()).env_clear();
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Server::start(other.current_dir(command.get_current_dir().unwrap()))
    }
}

#[test]
#[ignore = "needs a program of the version before"]
fn servers_are_upgraded_one_after_another_under_traffic() {
    let old = var_os("JINGKU_OLD_PROGRAM").expect("JINGKU_OLD_PROGRAM is the path of a program");
    let new = OsStr::new(env!("CARGO_BIN_EXE_jingku"));
    let shared = Shared::new().expect("JINGKU_TEST_CATALOG=postgres");
    let [a, b] = ["a", "b"].map(|name| Machine { host: shared.host(name, ""), port: free_port() });
    let (mut server_a, mut server_b) = (Some(a.serve(&old)), Some(b.serve(&old)));
    for (machine, id) in [(&a, "uhost-a"), (&b, "uhost-b"), (&a, "uhost-a2"), (&b, "uhost-b2")] {
        machine.host.add_instance(id, &bytes_of(id));
    }
    let urls = [&a, &b].map(|machine| format!("http://127.0.0.1:{}", machine.port));
    let mut clients =
        [(1, "uhost-a"), (2, "uhost-b")].map(|(number, instance)| Traffic::new(number, instance, &urls));
    let replace = |machine: &Machine, server: &mut Option<Server>, program: &OsStr| {
        server.take().unwrap().stop();
        *server = Some(machine.serve(program));
    };
    work_during(&mut clients, || {
        // The new program migrates the schema, and the old one works and starts on it.
        replace(&a, &mut server_a, new);
        b.host.make("uhost-b2", "beside-a-new-server");
        replace(&b, &mut server_b, &old);
        a.host.make("uhost-b2", "by-an-old-server");
        replace(&b, &mut server_b, new);
        a.host.make("uhost-a2", "later");
    });
    assert_kept(&b.host, &clients, &[]);
    a.host.run(&["trash", "empty"]).succeeded();
    a.host.run(&["sweep"]).succeeded();
    a.host.assert_intact();
    assert_used(&clients);
    server_a.unwrap().stop();
    server_b.unwrap().stop();
}
