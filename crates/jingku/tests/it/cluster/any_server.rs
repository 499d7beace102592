//! Any server answers anything, and nothing that one server remembers is older than what another has changed.

use std::time::Duration;

use compshare::actions::{DescribeCompShareSharingImagesRequest, ModifyCompShareImageShareAccountRequest};
use serde_json::json;

use super::Shared;
use crate::client::{block_on, client_with};
use crate::disk;
use crate::home::{Ended, until};
use crate::server::Server;

#[test]
fn any_server_makes_exports_imports_and_maintains() {
    let Some(shared) = Shared::new() else { return };
    let [a, b] = ["a", "b"].map(|name| shared.host(name, ""));
    let server_a = a.serve();
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    // A server that joins needs the master key.
    let mut command = b.serve_command();
    let refused = Ended::of(command.env_remove("JINGKU_MASTER_KEY"));
    assert!(refused.err.contains("master key"), "{refused:?}");
    let server_b = b.serve();
    b.add_instance("uhost-b", &disk::bytes(7, 2));
    let hosts: Vec<_> =
        a.json(&["instance", "list"]).as_array().unwrap().iter().map(|row| row["Host"].clone()).collect();
    assert_eq!(hosts, [json!("b"), json!("a")]);

    // Each image is made by the server of its instance.
    let (of_a, of_b) = (b.make("uhost-a", "of-a"), a.make("uhost-b", "of-b"));
    assert!(b.bytes(&of_a) == disk::bytes(5, 1) && a.bytes(&of_b) == disk::bytes(7, 2));
    assert_eq!(
        (server_a.log().matches("image made").count(), server_b.log().matches("image made").count()),
        (1, 1)
    );
    let estimate = ["image", "create", "--instance", "uhost-b", "--name", "x", "--estimate"];
    a.run(&estimate).failed(5, &["[uhost-b] is on the server [b]"]);
    b.run(&estimate).succeeded();

    // The link of this server leads to another one, as behind a balancer, which passes the file on.
    let c = shared.host("c", &format!("public_url = '{}'", server_b.base_url));
    let server_c = c.serve();
    let file = c.0.file("import.raw", &disk::bytes(9, 3));
    c.run(&["image", "import", &file, "--name", "imported", "--wait"]).succeeded();
    let imported = a.image("imported").unwrap()["CompShareImageId"].as_str().unwrap().to_owned();
    assert!(a.bytes(&imported) == disk::bytes(9, 3));
    assert!(server_c.log().contains("image made"), "{}", server_c.log());

    // Another server has the name; nothing is changed.
    let twin = shared.host("a", "");
    assert!(twin.refused().contains("Another server has the host name a"), "{}", twin.refused());
    let status = b.status_of("a");
    assert_eq!((&status["Live"], &status["Instances"]), (&true.into(), &1.into()));
    assert_eq!(
        (&status["Address"], &status["Version"]),
        (&json!(server_a.base_url), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert!(status["Schema"].as_u64() >= Some(17), "{status}");
    let tasks = b.json(&["cluster", "status"])["Tasks"].as_array().unwrap().clone();
    assert!(tasks.iter().any(|task| task["Name"] == "trash"), "{tasks:?}");
    b.run(&["cluster", "status"]).succeeded();

    // Operator commands on any machine.
    for id in [&of_a, &imported] {
        b.run(&["image", "delete", id]).succeeded();
    }
    c.run(&["trash", "empty"]).succeeded();
    assert_eq!(c.json(&["sweep"])["Manifests"], 2);
    assert!(a.json(&["check", "--status"])["Sweep"]["Files"].as_u64() > Some(2));
    let backup = b.0.path("backup");
    b.run(&["backup", backup.to_str().unwrap()]).succeeded();
    a.assert_intact();
    server_c.stop();
    assert_eq!(a.status_of("c")["Live"], false);
    server_a.stop();
    server_b.stop();
}

/// Each server has answered before, so that it has something to remember.
#[test]
fn a_change_on_one_server_is_seen_by_all_with_the_next_request() {
    let Some(shared) = Shared::new() else { return };
    let [a, b] = ["a", "b"].map(|name| shared.host(name, ""));
    let (server_a, server_b) = (a.serve(), b.serve());
    a.add_instance("uhost-a", &disk::bytes(3, 1));
    let id = a.make("uhost-a", "shared");
    a.json(&["account", "create", "other"]);
    let key = b.json(&["key", "create", "--account", "2"]);
    let own = |server: &Server| client_with(server, "first", "first-secret");
    let [public_key, private_key] = ["PublicKey", "PrivateKey"].map(|name| key[name].as_str().unwrap());
    let other = |server: &Server| client_with(server, public_key, private_key);
    let share = |server: &Server, add: &[i64], remove: &[i64]| {
        let request = ModifyCompShareImageShareAccountRequest {
            image_id: id.as_str().into(),
            add_accounts: add.to_vec().into(),
            remove_accounts: remove.to_vec().into(),
            ..ModifyCompShareImageShareAccountRequest::default()
        };
        block_on(own(server).modify_comp_share_image_share_account(&request)).unwrap();
    };
    let shared_with_other = |server: &Server| {
        let request = DescribeCompShareSharingImagesRequest::default();
        block_on(other(server).describe_comp_share_sharing_images(&request)).map(|list| list.total_count)
    };
    let counts = || [&server_a, &server_b, &server_a].map(|server| shared_with_other(server).unwrap());
    for _ in 0..3 {
        assert_eq!(counts(), [0; 3]);
        share(&server_a, &[2], &[]);
        assert_eq!(counts(), [1; 3]);
        share(&server_b, &[], &[2]);
    }
    for round in 0..5 {
        let name = format!("renamed-{round}");
        let (one, other) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        one.run(&["image", "update", &id, "--name", &name]).succeeded();
        assert!(other.image(&name).is_some() && one.image(&name).is_some());
    }
    b.run(&["image", "delete", &id]).succeeded();
    assert!(a.image("renamed-4").is_none() && b.image("renamed-4").is_none());
    assert_eq!(counts(), [0; 3]);
    a.run(&["key", "revoke", public_key]).succeeded();
    assert!([&server_b, &server_a].into_iter().all(|server| shared_with_other(server).is_err()));
    server_a.stop();
    server_b.stop();
}

#[test]
fn one_server_sweeps_for_all() {
    let Some(shared) = Shared::new() else { return };
    let hosts = ["a", "b", "c"].map(|name| {
        let host = shared.host(name, "");
        let path = host.0.path("jingku.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("every_hours = 0", "every_hours = 1")).unwrap();
        host
    });
    let sweeps = |servers: &[Server]| -> usize {
        servers.iter().map(|server| server.log().matches("swept the store").count()).sum()
    };
    for expected in [1, 0] {
        let servers: Vec<Server> = hosts.iter().map(super::Host::serve).collect();
        until("a server has swept", || sweeps(&servers) >= expected);
        // Each of them looks once at its start whether a sweep is due.
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(sweeps(&servers), expected);
        assert!(hosts[2].json(&["check", "--status"])["Sweep"]["EndedAt"].as_i64() > Some(0));
        for server in servers {
            server.stop();
        }
    }
}
