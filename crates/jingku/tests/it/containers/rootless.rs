//! Engines of another user, without root.

use std::os::unix::fs::MetadataExt as _;

use jingku_engine::testing::{Kind, TestEngine};

use super::Bench;
use super::lifecycle::Host;

const FILES: &str = "mkdir -p /work && cd /work && echo data > plain && ln plain hard && ln -s plain soft \
     && chmod 4750 plain && chown 12:34 plain && mkfifo fifo";

const LISTING: &str =
    "cd /work && find . | sort | while read -r f; do stat -c '%n %f %u %g %s %h %Y' \"$f\"; done; cat plain";

fn start(kind: Kind) -> Option<TestEngine> {
    let engine = TestEngine::start_rootless(kind);
    if engine.is_none() {
        println!("skipped: rootless {kind:?} does not work here");
    }
    engine
}

#[test]
fn a_container_of_a_rootless_engine_is_saved_and_pulled_again() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(engine) = start(kind) else { continue };
        let bench = Bench::on(engine, &["-e", "MODE=train"]);
        bench.exec(FILES);
        let name = bench.pull(&bench.save("trained"));
        assert_eq!(bench.in_image(&name, LISTING), bench.exec(LISTING), "{kind:?}");
        bench.engine.run(&["rmi", &name]);

        // Without cgroups of its own, such an engine cannot pause.
        let reason = bench.outcome(&bench.begin("cpod-1", "still", &["--pause"]));
        assert!(reason.is_empty() || reason.contains("without `--pause`"), "{kind:?}: {reason:?}");
        bench.assert_sound(1, "rootless");
    }
}

#[test]
fn an_instance_of_a_rootless_engine_lives_and_ends() {
    // The network of rootless Podman.
    let has_tun = std::fs::metadata("/dev/net/tun").is_ok_and(|tun| tun.mode() & 0o006 == 0o006);
    for kind in [Kind::Podman, Kind::Docker] {
        if kind == Kind::Podman && !has_tun {
            println!("skipped: only root may use /dev/net/tun");
            continue;
        }
        let Some(engine) = start(kind) else { continue };
        let host = Host::on(engine, super::lifecycle::CONFIG);
        let id = host.create("train");
        assert_eq!(host.exec(&id, "cat /root/answer"), "one", "{kind:?}");
        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        host.begin_start(&id).unwrap();
        host.until_state(&id, "Running");
        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        host.terminate(&id).unwrap();
        host.assert_clean("the instance ended");
    }
}
