//! Operations that are interrupted: by kill -9, by an engine that ends, by a container that is removed.

use jingku_engine::testing::Kind;

use super::{Host, code};
use crate::client::block_on;
use crate::crash::assert_killed;
use crate::home::until;

/// The operation that is killed, and where.
pub(crate) const FAILPOINTS: [&str; 13] = [
    "pod.row",
    "pod.image_loaded",
    "pod.created",
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

/// Begins an operation on a server that is killed at a failpoint, or on one that is not, and restarts it.
fn interrupt(host: &mut Host, failpoint: &str, is_here: bool, begin: impl Fn(&Host)) {
    if is_here {
        host.restart(&[("JINGKU_FAILPOINT", failpoint)]);
    }
    begin(host);
    if is_here {
        assert_killed(host.server.wait(), failpoint);
        host.restart(&[]);
    }
}

#[test]
fn operations_survive_kills() {
    let Some(mut host) = Host::start(Kind::Podman) else { return };
    for failpoint in FAILPOINTS {
        let is_one_of = |places: &[&str]| places.contains(&failpoint);
        interrupt(&mut host, failpoint, FAILPOINTS[..7].contains(&failpoint), |host| {
            // A server that is killed does not answer.
            let _ = block_on(host.client().create_comp_share_instance(&host.request("killed")));
        });
        let list = host.home.json(&["instance", "list"]);
        let created = list.as_array().unwrap().iter().find(|row| row["Name"] == "killed");
        let id = created.unwrap()["UHostId"].as_str().unwrap().to_owned();
        host.until_state(&id, "Running");
        assert!(host.exec(&id, "cat /root/password").starts_with("root:"), "{failpoint}");

        interrupt(&mut host, failpoint, is_one_of(&["pod.rebooted"]), |host| drop(host.reboot(&id)));
        host.until_state(&id, "Running");
        interrupt(&mut host, failpoint, is_one_of(&["pod.stopped"]), |host| drop(host.stop(&id)));
        host.until_state(&id, "Stopped");
        let image = host.image.clone();
        interrupt(&mut host, failpoint, is_one_of(&["pod.former_removed"]), |host| {
            drop(host.reinstall(&id, &image));
        });
        host.until_state(&id, "Running");
        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        let ends = is_one_of(&["pod.terminated", "pod.removed", "pod.forgotten"]);
        interrupt(&mut host, failpoint, ends, |host| drop(host.terminate(&id)));
        assert!(host.row(&id).is_none(), "{failpoint}");
        host.assert_clean(failpoint);
    }
    println!("{} kills of operations", FAILPOINTS.len());
}

#[test]
fn an_engine_that_ends_is_a_reason() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(mut host) = Host::start(kind) else { continue };
        let id = host.create("steady");
        host.engine.stop_service();
        host.stop(&id).unwrap();
        host.until_state(&id, "Running");
        let reason = host.row(&id).unwrap().failed_reason;
        assert!(reason.contains("The container engine does not answer"), "{kind:?}: {reason}");
        let created = block_on(host.client().create_comp_share_instance(&host.request("late"))).unwrap();
        let late = &created.instance_ids[0];
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
}

#[test]
fn what_happens_in_the_engine_is_seen() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let id = host.create("watched");
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

    let other = host.create("removed");
    std::thread::sleep(std::time::Duration::from_secs(10));
    host.engine.run(&["rm", "-f", &other]);
    host.until_state(&other, "Install Fail");
    let reason = host.row(&other).unwrap().failed_reason;
    assert!(reason.contains("The container was removed from the engine"), "{reason}");
    host.terminate(&other).unwrap();
    host.terminate(&id).unwrap();
    host.assert_clean("the containers ended");
    assert_eq!(code(host.stop("cpod-none")), 8039);
}
