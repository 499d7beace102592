//! Containers whose root directory the server reads itself, and those of which it asks the engine.

use std::os::unix::fs::chown;

use jingku_engine::testing::{Kind, TestEngine};
use serde_json::Value;

use super::{Bench, skopeo};

/// What the log says about where files were read.
const DIRECT: &str = "from=\"root directory\"";
const EXPORTED: &str = "from=\"engine\"";

const FILES: &str = "mkdir /work && cd /work && echo data > plain && ln plain hard && ln -s plain soft && mkfifo fifo \
     && chown 12:34 plain && chmod 4750 plain && mkdir d && echo x > \"d/$(printf 'odd\\377name')\" && rm /etc/passwd";

fn layer(bench: &Bench, image: &Value) -> Value {
    let inspected: Value = serde_json::from_str(&skopeo(bench, &["inspect"], image).succeeded().out).unwrap();
    inspected["Layers"][0].clone()
}

#[test]
fn the_layer_is_the_same_however_and_whenever_it_is_read() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(mut bench) = Bench::start(kind) else { continue };
        bench.exec(FILES);
        let (first, second) = (bench.save("first"), bench.save("second"));
        let log = bench.server.log();
        if !log.contains(DIRECT) {
            println!("skipped: the server cannot read the storage of {kind:?}: {log}");
            continue;
        }
        assert!(!log.contains(EXPORTED), "{log}");
        assert_eq!(first["LeftOut"]["ReadFrom"], "directory", "{first}");
        let digest = layer(&bench, &first);
        assert_eq!(layer(&bench, &second), digest, "{kind:?}");

        // An engine of another user is not believed which directory is a container's.
        let socket = bench.engine.url().replace("unix://", "");
        chown(&socket, Some(65534), None).unwrap();
        bench.restart(&[]);
        let third = bench.save("third");
        let log = bench.server.log();
        assert!(log.contains(EXPORTED) && !log.contains(DIRECT), "{log}");
        assert_eq!(third["LeftOut"]["ReadFrom"], "engine", "{third}");
        // Docker adds names of owners.
        if kind == Kind::Podman {
            assert_eq!(layer(&bench, &third), digest);
        }
        bench.assert_sound(1, "direct");
    }
}

#[test]
fn a_container_that_has_stopped_is_exported() {
    let Some(engine) = TestEngine::start(Kind::Podman) else { return };
    let bench = Bench::on(engine, &[]);
    bench.exec("echo note > /root/note");
    bench.engine.run(&["stop", "-t", "1", "trainer"]);
    let name = bench.pull(&bench.save("stopped"));
    assert!(bench.server.log().contains(EXPORTED), "{}", bench.server.log());
    assert_eq!(bench.in_image(&name, "cat /root/note"), "note");
}
