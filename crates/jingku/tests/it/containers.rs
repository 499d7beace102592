//! Images of containers, with real engines: saved from one, pulled into another.

mod saving;

use std::process::Command;

use jingku_engine::testing::{Kind, TestEngine};
use serde_json::Value;

use crate::home::{Ended, Home, until};
use crate::server::Server;

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
        let engine = TestEngine::start(kind)?;
        let container = engine.container(&[&["--name", "trainer", "--label", "jingku.instance=cpod-1"], args].concat());
        let home = Home::new();
        let server = home.serve_with(&["--engine", &engine.url()], &[]);
        let bench = Self { home, server, engine, container };
        until("the container is an instance", || bench.instance("cpod-1").is_some());
        Some(bench)
    }

    pub(super) fn instance(&self, id: &str) -> Option<Value> {
        let instances = self.home.json(&["instance", "list"]);
        instances.as_array().unwrap().iter().find(|instance| instance["UHostId"] == id).cloned()
    }

    /// Runs a command in the container.
    pub(super) fn exec(&self, command: &str) -> String {
        self.engine.run(&["exec", &self.container, "/bin/sh", "-c", command])
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
        self.engine.run(&[&["run", "--rm"], network, &["--entrypoint", "/bin/sh", name, "-c", command]].concat())
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
