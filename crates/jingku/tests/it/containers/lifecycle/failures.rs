//! Operations that are interrupted: by kill -9, by an engine that ends, by a container that is removed.

use jingku_engine::testing::Kind;

use super::{Host, code};
use crate::client::block_on;
use crate::crash::assert_killed;
use crate::home::until;

/// Where operations are killed: [`CREATE`] of them creating, then one of each of [`CHANGE`], the others deleting.
pub(crate) const FAILPOINTS: [&str; 15] = [
    "pod.row",
    "pod.image_loaded",
    "pod.created",
    "pod.keys_written",
    "pod.host_key_written",
    "pod.started",
    "pod.password_set",
    "pod.before_end",
    "pod.after_end",
    "pod.rebooted",
    "pod.stopped",
    "pod.former_removed",
    "pod.terminated",
    "pod.removed",
    "pod.forgotten",
];
const CREATE: usize = 9;
/// What is done in turn to one instance, and the state that it ends in.
const CHANGE: [(Change, &str); 3] = [
    (|host, id| drop(host.reboot(id)), "Running"),
    (|host, id| drop(host.stop(id)), "Stopped"),
    (|host, id| drop(host.reinstall(id, &host.image)), "Running"),
];
type Change = fn(&Host, &str);

/// Begins an operation, on a server that is killed at a failpoint if there is one, and restarts that.
fn interrupt(host: &mut Host, failpoint: Option<&&str>, begin: impl Fn(&Host)) {
    let Some(failpoint) = failpoint else { return begin(host) };
    host.restart(&[("JINGKU_FAILPOINT", failpoint)]);
    // A server that is killed does not answer.
    begin(host);
    assert_killed(host.server.wait(), failpoint);
    host.restart(&[]);
}

#[test]
fn operations_survive_kills() {
    let Some(mut host) = Host::start(Kind::Podman) else { return };
    let (create, rest) = FAILPOINTS.split_at(CREATE);
    let (change, end) = rest.split_at(CHANGE.len());
    for (index, failpoint) in create.iter().enumerate() {
        interrupt(&mut host, Some(failpoint), |host| {
            drop(block_on(host.client().create_comp_share_instance(&host.request("killed"))));
        });
        let list = host.home.json(&["instance", "list"]);
        let created = list.as_array().unwrap().iter().find(|row| row["Name"] == "killed");
        let id = created.unwrap()["UHostId"].as_str().unwrap().to_owned();
        host.until_state(&id, "Running");
        assert!(host.exec(&id, "cat /root/password").starts_with("root:"), "{failpoint}");
        host.assert_key(&id);
        host.assert_host_key(&id);

        for (failpoint, (begin, state)) in change.iter().zip(CHANGE).filter(|_| index == 0) {
            interrupt(&mut host, Some(failpoint), |host| begin(host, &id));
            host.until_state(&id, state);
        }
        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        interrupt(&mut host, end.get(index), |host| drop(host.terminate(&id)));
        assert!(host.row(&id).is_none(), "{failpoint}");
        host.assert_clean(failpoint);
    }
    println!("{} kills of operations", FAILPOINTS.len());
}

#[test]
fn podman_that_ends_is_a_reason() {
    an_engine_that_ends_is_a_reason(Kind::Podman);
}

#[test]
fn docker_that_ends_is_a_reason() {
    an_engine_that_ends_is_a_reason(Kind::Docker);
}

fn an_engine_that_ends_is_a_reason(kind: Kind) {
    let Some(mut host) = Host::start(kind) else { return };
    let id = host.create("steady");
    host.engine.stop_service();
    // Both wait for the engine at the same time.
    host.stop(&id).unwrap();
    let created = block_on(host.client().create_comp_share_instance(&host.request("late"))).unwrap();
    let late = &created.instance_ids[0];
    host.until_state(&id, "Running");
    let reason = host.row(&id).unwrap().failed_reason;
    assert!(reason.contains("The container engine does not answer"), "{kind:?}: {reason}");
    host.until_state(late, "Install Fail");
    host.engine.resume_service();

    // Docker ends its containers with itself. It may start them again.
    until("the engine was asked", || ["Running", "Stopped"].contains(&host.state(&id).as_str()));
    // A failed instance is stopped, then started or deleted.
    host.stop(late).unwrap();
    host.until_state(late, "Stopped");
    host.begin_start(late).unwrap();
    host.until_state(late, "Running");
    assert_eq!(host.row(late).unwrap().failed_reason, "");
    for id in [&id, late] {
        let refused = code(host.stop(id));
        assert!(refused == 0 || (refused == 8905 && kind == Kind::Docker), "{kind:?}: {refused}");
        host.until_state(id, "Stopped");
        host.terminate(id).unwrap();
    }
    host.assert_clean("the engine ended");
}

#[test]
fn what_happens_in_the_engine_is_seen() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let (id, other) = (host.create("watched"), host.create("removed"));
    host.engine.run(&["stop", "-t", "0", &id]);
    host.until_state(&id, "Stopped");
    host.engine.run(&["start", &id]);
    host.until_state(&id, "Running");

    // The command of the container ends at once.
    host.exec(
        &id,
        "printf '#!/bin/busybox false\\n' > /bin/sh.new; chmod +x /bin/sh.new; mv /bin/sh.new /bin/sh",
    );
    host.reboot(&id).unwrap();
    until("the reboot ended", || host.state(&id) != "Rebooting");
    let row = host.row(&id).unwrap();
    assert_eq!(row.state, "Stopped", "{row:?}");
    assert!(row.failed_reason.contains("ended at once"), "{row:?}");

    let password = host.exec(&other, "cat /root/password");
    host.engine.run(&["rm", "-f", &other]);
    host.until_state(&other, "Install Fail");
    let reason = host.row(&other).unwrap().failed_reason;
    assert!(reason.contains("The container was removed from the engine"), "{reason}");
    // The next container has the keys and the password that the first had.
    host.stop(&other).unwrap();
    host.until_state(&other, "Stopped");
    host.begin_start(&other).unwrap();
    host.until_state(&other, "Running");
    assert_eq!(host.exec(&other, "cat /root/password"), password);
    host.assert_key(&other);
    host.stop(&other).unwrap();
    host.until_state(&other, "Stopped");
    host.terminate(&other).unwrap();
    host.terminate(&id).unwrap();
    host.assert_clean("the containers ended");
    assert_eq!(code(host.stop("cpod-none")), 8039);
}
