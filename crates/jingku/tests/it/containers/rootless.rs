//! Podman of another user, without root.

use jingku_engine::testing::TestEngine;

use super::Bench;

const FILES: &str = "mkdir -p /work && cd /work && echo data > plain && ln plain hard && ln -s plain soft \
     && chmod 4750 plain && chown 12:34 plain && mkfifo fifo";

const LISTING: &str =
    "cd /work && find . | sort | while read -r f; do stat -c '%n %f %u %g %s %h %Y' \"$f\"; done; cat plain";

#[test]
fn a_container_of_a_rootless_engine_is_saved_and_pulled_again() {
    let Some(engine) = TestEngine::start_rootless() else {
        println!("skipped: rootless Podman does not work here");
        return;
    };
    let bench = Bench::on(engine, &["-e", "MODE=train"]);
    bench.exec(FILES);
    let name = bench.pull(&bench.save("trained"));
    assert_eq!(bench.in_image(&name, LISTING), bench.exec(LISTING));
    bench.engine.run(&["rmi", &name]);

    // Without cgroups of its own, such an engine cannot pause.
    let reason = bench.outcome(&bench.begin("cpod-1", "still", &["--pause"]));
    assert!(reason.is_empty() || reason.contains("without `--pause`"), "{reason:?}");
    bench.assert_sound(1, "rootless");
}
