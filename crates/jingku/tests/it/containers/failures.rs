//! Saves that are interrupted: by kill -9, by an engine that ends, by a container that is removed.

use std::thread;

use jingku_engine::testing::Kind;
use serde_json::Value;

use super::{Bench, skopeo};
use crate::crash::{assert_intact, assert_killed};
use crate::home::until;

/// The container has about 10 MB, in pieces of at most 64 KiB, and a changed file of 300 KB each time.
pub(crate) const FAILPOINTS: [&str; 9] = [
    "make.claimed",
    "save.paused",
    "save.piece:1",
    "save.piece:40",
    "save.read",
    "save.chunks_durable",
    "save.manifest_durable",
    "make.before_row",
    "make.after_row",
];

/// What a reason says about an engine that ended early.
const ENDED_EARLY: [&str; 2] = ["The container engine does not answer", "could not be read whole"];

fn layer(bench: &Bench, image: &Value) -> Value {
    let inspected: Value = serde_json::from_str(&skopeo(bench, &["inspect"], image).succeeded().out).unwrap();
    inspected["Layers"].clone()
}

fn state(bench: &Bench) -> String {
    bench.engine.run(&["inspect", "-f", "{{.State.Status}}", "trainer"])
}

#[test]
fn a_save_survives_kills_at_every_failpoint() {
    let Some(mut bench) = Bench::start(Kind::Podman) else { return };
    bench.exec("dd if=/dev/urandom of=/root/model bs=1M count=8 2>/dev/null");
    let mut last = Value::Null;
    for failpoint in FAILPOINTS {
        // Something new is to be stored.
        bench.exec("head -c 300000 /dev/urandom > /root/new");
        bench.restart(&[("JINGKU_FAILPOINT", failpoint)]);
        let id = bench.begin("cpod-1", &failpoint.replace([':', '.'], "-"), &["--pause"]);
        assert_killed(bench.server.wait(), failpoint);
        assert_intact(&bench.home, &[], failpoint);
        if failpoint == "save.paused" {
            assert_eq!(state(&bench), "paused");
        }

        bench.restart(&[]);
        assert_eq!(bench.outcome(&id), "", "{failpoint}");
        until("the container runs again", || state(&bench) == "running");
        last = bench.home.json(&["image", "show", &id]);
        assert_eq!(last["Status"], "Available", "{failpoint}: {last}");
    }
    assert_eq!(layer(&bench, &last), layer(&bench, &bench.save("again")), "other files");
    bench.assert_sound(1, "the last kill");
}

#[test]
fn a_save_ends_with_a_reason_when_the_engine_ends() {
    let Some(mut bench) = Bench::start(Kind::Podman) else { return };
    bench.exec("dd if=/dev/urandom of=/root/model bs=1M count=100 2>/dev/null");
    let id = bench.begin("cpod-1", "ended", &[]);
    bench.until_reading(&id);
    bench.engine.stop_service();
    let reason = bench.outcome(&id);
    assert!(ENDED_EARLY.iter().any(|words| reason.contains(words)), "{reason:?}");
    bench.engine.resume_service();
    bench.assert_sound(1, "the engine ended");

    // While it is paused, too.
    let id = bench.begin("cpod-1", "ended-paused", &["--pause"]);
    bench.until_reading(&id);
    assert_eq!(state(&bench), "paused");
    bench.engine.stop_service();
    assert_ne!(bench.outcome(&id), "");
    bench.engine.resume_service();
    until("the container runs again", || state(&bench) == "running");

    // An image that is deleted half way releases the container at once.
    let failures = |bench: &Bench| bench.server.log().matches("cannot resume a container").count();
    let failures_before = failures(&bench);
    let id = bench.begin("cpod-1", "cancelled", &["--pause"]);
    bench.until_reading(&id);
    bench.home.run(&["image", "delete", &id]).succeeded();
    until("the container runs again", || state(&bench) == "running");
    assert_eq!(failures(&bench), failures_before, "{}", bench.server.log());
    bench.save("whole");
    bench.assert_sound(1, "an image was deleted half way");
}

/// A removed container is never saved without the files that the engine no longer found.
#[test]
fn a_save_ends_with_a_reason_when_the_container_is_removed() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(bench) = Bench::start(kind) else { continue };
        bench.exec(
            "for n in $(seq 100); do dd if=/dev/urandom of=/root/model$n bs=1M count=1 2>/dev/null; done",
        );
        let id = bench.begin("cpod-1", "removed", &[]);
        bench.until_reading(&id);
        bench.engine.run(&["rm", "-f", "trainer"]);
        let reason = bench.outcome(&id);
        assert!(reason.contains("The container does not exist any more"), "{kind:?}: {reason:?}");
        until("the instance is gone", || bench.instance("cpod-1").is_none());
        bench.assert_sound(0, "the container was removed");
    }
}

#[test]
fn ten_containers_that_write_are_saved_at_once() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    let ids: Vec<String> = (2..=10).map(|number| format!("cpod-{number}")).collect();
    for id in &ids {
        bench.engine.container(&["--label", &format!("jingku.instance={id}")]);
    }
    bench.engine.run(&[
        "exec",
        "-d",
        "trainer",
        "/bin/sh",
        "-c",
        "while :; do for n in 1 2 3 4; do head -c 700000 /dev/urandom > /root/file$n; rm -f /root/old; \
         mv /root/file$n /root/old; date >> /root/log; done; done",
    ]);
    until("all containers are instances", || ids.iter().all(|id| bench.instance(id).is_some()));
    let bench = &bench;
    let images: Vec<String> = thread::scope(|scope| {
        let all = ids.iter().map(String::as_str).chain(["cpod-1"]);
        let begun: Vec<_> = all.map(|id| scope.spawn(move || bench.begin(id, id, &[]))).collect();
        begun.into_iter().map(|begun| begun.join().unwrap()).collect()
    });
    for image in &images {
        assert_eq!(bench.outcome(image), "");
    }
    bench.assert_sound(10, "ten saves");
}
