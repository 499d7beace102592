//! Several servers on one PostgreSQL catalogue and one bucket. `cargo xtask test --only postgres` runs these tests.

mod any_server;
mod balancer;
mod clocks;
mod documented;
mod link;
mod namespaces;
mod network;
mod partition;
mod takeover;
mod traffic;
mod upgrade;
mod watch;

use std::process::Command;

use jingku_catalog::testing::chosen_database;
use jingku_chunks::S3Server;
use serde_json::Value;
use tempfile::TempDir;
use watch::Watch;

use crate::disk;
use crate::home::{Ended, Home, until};
use crate::server::Server;

/// How long leases last, in seconds: the shortest allowed.
const LEASE_SECS: u64 = 6;
const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What the servers share.
struct Shared {
    _folder: TempDir,
    s3: S3Server,
    database: String,
}

/// A machine with a server, and what its database says.
struct Host(Home, Watch);

impl Shared {
    /// `None` unless the tests run on PostgreSQL.
    fn new() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(chosen_database())?;
        let folder = tempfile::tempdir().unwrap();
        let s3 = S3Server::start(folder.path(), &["images"]).unwrap();
        Some(Self { _folder: folder, s3, database })
    }

    /// A new machine, with more settings at the top of its configuration.
    fn host(&self, name: &str, settings: &str) -> Host {
        Host::over(name, settings, &self.database, &self.s3.endpoint())
    }
}

impl Host {
    /// A new machine that reaches the database and the bucket in its own way.
    fn over(name: &str, settings: &str, database: &str, endpoint: &str) -> Self {
        let home = Home::with_database(None);
        let text = format!(
            "{settings}\ndatabase = '{database}'\nstorage = 's3://images/lab'\n\
             [s3]\nendpoint = '{endpoint}'\npath_style = true\nallow_http = true\n\
             [sweep]\nevery_hours = 0\n[cluster]\nhost = '{name}'\nlease_seconds = {LEASE_SECS}\n"
        );
        home.file("jingku.toml", text.as_bytes());
        Self(home, Watch::new(database))
    }

    fn command(&self, args: &[&str]) -> Command {
        let (id, secret) = S3Server::key_pair();
        let mut command = self.0.command(args);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command.env("JINGKU_MASTER_KEY", MASTER_KEY);
        command.env("JINGKU_PUBLIC_KEY", "first").env("JINGKU_PRIVATE_KEY", "first-secret");
        command
    }

    fn serve_command(&self) -> Command {
        self.serve_command_at("127.0.0.1:0")
    }

    fn serve_command_at(&self, listen: &str) -> Command {
        let config = self.0.path("jingku.toml");
        self.command(&["serve", "--listen", listen, "--config", config.to_str().unwrap()])
    }

    fn serve(&self) -> Server {
        Server::start(&mut self.serve_command())
    }

    /// Standard error of a server that does not start.
    fn refused(&self) -> String {
        Server::try_start(&mut self.serve_command()).err().expect("it is refused").1
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat()).succeeded();
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
    }

    fn add_instance(&self, id: &str, bytes: &[u8]) {
        let path = self.0.path(&format!("{id}.raw"));
        disk::write(&path, bytes);
        self.run(&["instance", "add", "--id", id, "--disk", path.to_str().unwrap()]).succeeded();
    }

    /// Creates an image of an instance of any server, waits for it, and returns its id.
    fn make(&self, instance: &str, name: &str) -> String {
        let image = self.json(&["image", "create", "--instance", instance, "--name", name, "--wait"]);
        assert_eq!(image["Status"], "Available", "{image}");
        image["CompShareImageId"].as_str().unwrap().to_owned()
    }

    fn image(&self, name: &str) -> Option<Value> {
        let list = self.json(&["image", "list", "--all"]);
        list["ImageSet"].as_array().unwrap().iter().find(|image| image["Name"] == name).cloned()
    }

    /// Waits until an image is made.
    fn until_made(&self, name: &str) {
        until("the image is made", || self.1.is_available(name));
    }

    fn bytes(&self, image_id: &str) -> Vec<u8> {
        let file = self.0.path(&format!("{image_id}.export"));
        self.run(&["image", "export", image_id, "-o", file.to_str().unwrap()]).succeeded();
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        bytes
    }

    /// What the status says about a server.
    fn status_of(&self, name: &str) -> Value {
        let status = self.json(&["cluster", "status"]);
        let hosts = status["Hosts"].as_array().unwrap().iter();
        hosts
            .clone()
            .find(|host| host["Name"] == name)
            .unwrap_or_else(|| panic!("no {name} in {status}"))
            .clone()
    }

    fn assert_intact(&self) {
        assert_eq!(self.json(&["check", "--read-data"])["Clean"], true);
        assert_eq!(self.json(&["usage"])["MissingChunks"], 0);
    }

    /// Waits until the name is free, then serves.
    fn serve_when_free(&self, name: &str) -> Server {
        until("the name is free", || !self.1.is_live(name));
        self.serve()
    }
}
