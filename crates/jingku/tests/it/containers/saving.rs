use jingku_engine::testing::Kind;
use serde_json::Value;

use super::{Bench, skopeo};
use crate::home::until;

const KINDS: [Kind; 2] = [Kind::Podman, Kind::Docker];

/// What a container is made of: files of every kind, with owners, modes, links and attributes.
const FILES: &str = "mkdir -p /work/deep && cd /work && echo data > plain && ln plain hard && ln -s plain soft \
     && chmod 4750 plain && chown 12:34 plain && mkfifo fifo && mknod device c 1 3 \
     && dd if=/dev/zero of=sparse bs=1 count=1 seek=9999999 2>/dev/null \
     && printf x > \"$(printf 'odd\\377name')\" && echo long > deep/$(printf 'n%.0s' $(seq 200))";

/// Prints what is the same in a container and in its image.
const LISTING: &str = "cd /work && find . | sort | while read -r f; do stat -c '%n %f %u %g %s %h %Y' \"$f\"; done; \
     readlink soft; cat plain hard deep/*; cmp plain hard && md5sum sparse";

#[test]
fn a_running_container_is_saved_and_pulled_again() {
    for kind in KINDS {
        let Some(bench) = Bench::start_with(kind, &["-e", "MODE=train", "-w", "/root", "--user", "0:0"])
        else {
            continue;
        };
        bench.exec(FILES);
        let image = bench.save("trained");
        assert_eq!(
            (&image["Container"], &image["Repository"]),
            (&"True".into(), &"1/trained".into()),
            "{image}"
        );
        assert_eq!(image["Softwares"]["OsVersion"], "Test Linux 1", "{image}");
        assert_eq!(bench.instance("cpod-1").unwrap()["State"], "Running");

        let name = bench.pull(&image);
        assert_eq!(bench.in_image(&name, LISTING), bench.exec(LISTING), "{kind:?}");
        let inspected: Value = serde_json::from_str(&bench.engine.run(&["image", "inspect", &name])).unwrap();
        let config = &inspected[0]["Config"];
        assert_eq!(config["WorkingDir"], "/root");
        assert!(config["Env"].as_array().unwrap().contains(&"MODE=train".into()), "{config}");
        assert_eq!(config["Cmd"][0], "/bin/sh");
        bench.server.stop();
    }
}

#[test]
fn skopeo_inspects_and_copies_an_image() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    let image = bench.save("trained");
    let inspected: Value =
        serde_json::from_str(&skopeo(&bench, &["inspect"], &image).succeeded().out).unwrap();
    assert_eq!((&inspected["Os"], &inspected["RepoTags"][0]), (&"linux".into(), &"latest".into()));
    assert_eq!(inspected["Layers"].as_array().unwrap().len(), 1);
}

#[test]
fn the_second_image_stores_what_changed() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    bench.exec("dd if=/dev/urandom of=/root/model bs=1M count=24 2>/dev/null");
    bench.save("first");
    let stored = |home: &crate::home::Home| home.json(&["usage"])["Live"]["StoredBytes"].as_u64().unwrap();
    let before = stored(&bench.home);
    bench.exec("echo more >> /root/notes");
    bench.save("second");
    let new = stored(&bench.home) - before;
    assert!(new < 4 << 20, "{new} of {before}");
}

/// Files that only the engine gives are not read: all counts as new. The others are all read, here in less than 10 s.
#[test]
fn an_estimate_of_a_container_saves_nothing() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    bench.exec("dd if=/dev/urandom of=/root/model bs=1M count=8 2>/dev/null");
    let args = ["image", "create", "--instance", "cpod-1", "--name", "next", "--estimate"];
    let first = bench.home.json(&args);
    assert_eq!(first["NewBytes"], first["SizeBytes"], "{first}");
    assert_eq!(bench.home.json(&["image", "list"])["TotalCount"], 0);
    let is_read = bench.save("trained")["LeftOut"]["ReadFrom"] == "directory";
    let second = bench.home.json(&args);
    let [size, sampled, new] =
        ["SizeBytes", "SampledBytes", "NewBytes"].map(|name| second[name].as_u64().unwrap());
    if is_read {
        assert_eq!(sampled, size, "{second}");
        assert!(new < 4 << 20, "{second}");
        // New files are seen, and how much of them.
        bench.exec("dd if=/dev/urandom of=/root/new bs=1M count=8 2>/dev/null");
        let third = bench.home.json(&args)["NewBytes"].as_u64().unwrap();
        assert!((8 << 20..12 << 20).contains(&third), "{third}");
    } else {
        assert_eq!((sampled, new), (0, size), "{second}");
    }
}

#[test]
fn a_paused_container_is_resumed() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    let home = &bench.home;
    let image =
        home.json(&["image", "create", "--instance", "cpod-1", "--name", "still", "--pause", "--wait"]);
    assert_eq!(image["Status"], "Available");
    assert_eq!(bench.engine.run(&["inspect", "-f", "{{.State.Status}}", "trainer"]), "running");
}

#[test]
fn what_is_left_out_is_listed_with_the_image() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    bench.exec(
        "mkdir -p /cache /root/.ssh && echo /cache/ > /.jingkuignore && echo x > /cache/x \
         && echo key > /root/.ssh/id_rsa && echo id > /etc/machine-id",
    );
    let image = bench.save("kept");
    let left_out = &image["LeftOut"];
    assert_eq!(left_out["Secrets"], serde_json::json!(["root/.ssh/id_rsa"]), "{image}");
    let paths = left_out["Paths"].as_array().unwrap();
    for (path, reason) in [("cache", "ignored"), ("etc/machine-id", "host_identity")] {
        assert!(paths.iter().any(|left| left["Path"] == path && left["Reason"] == reason), "{left_out}");
    }
    let name = bench.pull(&image);
    assert_eq!(bench.in_image(&name, "ls / | grep cache; ls /root/.ssh; cat /etc/machine-id"), "id_rsa");

    let args = ["image", "create", "--instance", "cpod-1", "--name", "clean", "--exclude-secrets", "--wait"];
    let clean = bench.home.json(&args);
    let clean = bench.home.json(&["image", "show", clean["CompShareImageId"].as_str().unwrap()]);
    assert_eq!(bench.in_image(&bench.pull(&clean), "ls /root/.ssh"), "");
}

#[test]
fn containers_come_and_go_and_an_engine_that_is_away_delays_nothing() {
    let Some(mut bench) = Bench::start(Kind::Podman) else { return };
    bench.engine.container(&["--name", "second", "--label", "jingku.instance=cpod-2"]);
    until("a new container is an instance", || bench.instance("cpod-2").is_some());
    bench.engine.run(&["stop", "-t", "1", "second"]);
    until("it has stopped", || bench.instance("cpod-2").unwrap()["State"] == "Stopped");
    bench.engine.run(&["rm", "second"]);
    until("it is gone", || bench.instance("cpod-2").is_none());

    bench.engine.stop_service();
    assert_eq!(bench.instance("cpod-1").unwrap()["State"], "Running");
    let failed = bench.home.run(&["image", "create", "--instance", "cpod-1", "--name", "away", "--wait"]);
    assert!(failed.err.contains("engine"), "{failed:?}");
    bench.engine.resume_service();
    until("the engine is back", || {
        bench.home.run(&["image", "create", "--instance", "cpod-1", "--name", "back", "--wait"]).code
            == Some(0)
    });
}

#[test]
fn an_archive_of_an_image_is_imported_and_exported() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    let image = bench.save("trained");
    let id = image["CompShareImageId"].as_str().unwrap();
    for format in ["oci", "docker-archive"] {
        let file = bench.home.path(&format!("{format}.tar"));
        let file = file.to_str().unwrap();
        bench.home.run(&["image", "export", id, "--format", format, "-o", file]).succeeded();
        let loaded = bench.engine.run(&["load", "-q", "-i", file]);
        let name = loaded.rsplit_once(": ").unwrap().1;
        assert_eq!(bench.in_image(name, "cat /etc/os-release"), bench.exec("cat /etc/os-release"));
        let imported =
            bench.home.json(&["image", "import", file, "--name", &format!("from-{format}"), "--wait"]);
        assert_eq!(imported["Status"], "Available", "{imported}");
        let imported = bench.home.json(&["image", "show", imported["CompShareImageId"].as_str().unwrap()]);
        assert_eq!((&imported["Container"], &imported["Size"]), (&"True".into(), &image["Size"]));
        assert_eq!(
            bench.in_image(&bench.pull(&imported), "cat /etc/os-release"),
            bench.exec("cat /etc/os-release")
        );
    }
}
