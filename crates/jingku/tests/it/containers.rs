//! Images of containers, with real engines: saved from one, pulled into another.

mod debian;
mod direct;
mod failures;
mod large;
mod lifecycle;
mod owners;
mod rootless;
mod saving;
mod secure;

use std::process::Command;

use jingku_engine::testing::{Kind, TestEngine};
use serde_json::Value;

use crate::crash::assert_intact;
use crate::home::{Ended, Home, until};
use crate::server::Server;

pub(crate) use failures::FAILPOINTS;
pub(crate) use lifecycle::FAILPOINTS as LIFECYCLE_FAILPOINTS;

/// A server with an engine, and its instance `cpod-1`.
pub(super) struct Bench {
    pub(super) home: Home,
    pub(super) server: Server,
    pub(super) engine: TestEngine,
    pub(super) container: String,
}

impl Bench {
    /// `None` without that engine, which fails in CI.
    pub(super) fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, &[])
    }

    /// With more arguments for the container.
    pub(super) fn start_with(kind: Kind, args: &[&str]) -> Option<Self> {
        Some(Self::on(TestEngine::start(kind)?, args))
    }

    /// On this engine.
    pub(super) fn on(engine: TestEngine, args: &[&str]) -> Self {
        let container =
            engine.container(&[&["--name", "trainer", "--label", "jingku.instance=cpod-1"], args].concat());
        let home = Home::new();
        let server = home.serve_with(&["--engine", &engine.url()], &[]);
        let bench = Self { home, server, engine, container };
        until("the container is an instance", || bench.instance("cpod-1").is_some());
        bench
    }

    /// Kills the server, unless it has ended, and starts another with these environment variables.
    pub(super) fn restart(&mut self, variables: &[(&str, &str)]) {
        self.server.kill();
        self.server = self.home.serve_with(&["--engine", &self.engine.url()], variables);
    }

    pub(super) fn instance(&self, id: &str) -> Option<Value> {
        let instances = self.home.json(&["instance", "list"]);
        instances.as_array().unwrap().iter().find(|instance| instance["UHostId"] == id).cloned()
    }

    /// Runs a command in the container.
    pub(super) fn exec(&self, command: &str) -> String {
        self.engine.run(&["exec", &self.container, "/bin/sh", "-c", command])
    }

    /// Begins to make an image and returns its id.
    pub(super) fn begin(&self, instance: &str, name: &str, args: &[&str]) -> String {
        let create = [&["image", "create", "--instance", instance, "--name", name], args].concat();
        self.home.json(&create)["CompShareImageId"].as_str().unwrap().to_owned()
    }

    /// Waits until 8 MB of the files were read.
    pub(super) fn until_reading(&self, image_id: &str) {
        until("files are read", || {
            let progress = self.home.json(&["image", "progress", image_id]);
            assert_eq!(progress["Status"], "Making", "too early: {progress}");
            progress["ProcessedBytes"].as_u64().unwrap() > 8 << 20
        });
    }

    /// Waits until an image is made or failed. Returns `FailedReason`, which is empty if it was made.
    pub(super) fn outcome(&self, image_id: &str) -> String {
        // Its exit code is that of the image.
        self.home.run(&["image", "progress", image_id, "--wait"]);
        let progress = self.home.json(&["image", "progress", image_id]);
        assert_ne!(progress["Status"], "Making", "{progress}");
        progress["FailedReason"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts that the server is ready, its store intact, and that the engine has nothing that it had not before.
    pub(super) fn assert_sound(&self, containers: usize, place: &str) {
        let ready = self.server.readiness();
        assert!(ready.starts_with("HTTP/1.1 200 "), "{place}: {ready}");
        assert_intact(&self.home, &[], place);
        let listed = self.engine.run(&["ps", "-aq"]);
        assert_eq!(listed.lines().count(), containers, "{place}: {listed}");
        let status = self.engine.run(&["ps", "-a", "--format", "{{.Status}}"]);
        assert!(!status.contains("Paused"), "{place}: {status}");
        assert_eq!(self.engine.run(&["images", "-q"]).lines().count(), 1, "{place}");
    }

    /// Makes an image and returns its row.
    pub(super) fn save(&self, name: &str) -> Value {
        let id = self.home.make("cpod-1", name);
        self.home.json(&["image", "show", &id])
    }

    /// Pulls an image into the engine, under the name of its repository, and returns that name.
    pub(super) fn pull(&self, image: &Value) -> String {
        let name = format!("{}/{}:latest", self.server.address(), image["Repository"].as_str().unwrap());
        let [user, password] = self.home.key_pair();
        let config = self.home.path("docker");
        let mut pull = self.engine.client();
        let credentials = format!("{user}:{password}");
        match self.engine.kind() {
            Kind::Podman => pull.args(["pull", "-q", "--tls-verify=false", "--creds", &credentials]),
            Kind::Docker => {
                let mut login = self.engine.client();
                login.env("DOCKER_CONFIG", &config);
                login.args(["login", "-u", &user, "-p", &password, self.server.address()]);
                Ended::of(&mut login).succeeded();
                pull.env("DOCKER_CONFIG", &config).args(["pull", "-q"])
            }
        };
        Ended::of(pull.arg(&name)).succeeded();
        name
    }

    /// Runs a command in a new container of a pulled image.
    pub(super) fn in_image(&self, name: &str, command: &str) -> String {
        let network: &[&str] = if self.engine.kind() == Kind::Podman { &["--network=none"] } else { &[] };
        self.engine
            .run(&[&["run", "--rm"], network, &["--entrypoint", "/bin/sh", name, "-c", command]].concat())
    }
}

/// What skopeo says about an image of the server.
pub(super) fn skopeo(bench: &Bench, args: &[&str], image: &Value) -> Ended {
    let name = format!("docker://{}/{}", bench.server.address(), image["Repository"].as_str().unwrap());
    let [user, password] = bench.home.key_pair();
    let mut skopeo = Command::new("skopeo");
    skopeo.args(args).args(["--tls-verify=false", "--creds", &format!("{user}:{password}")]).arg(name);
    Ended::of(&mut skopeo)
}
