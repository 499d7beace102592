//! The two kinds of installation: files in a folder, or PostgreSQL with an object store.

use std::fs;

use fastrand::Rng;
use hyper::Method;
use jingku_catalog::testing::PostgresServer;
use jingku_chunks::{S3Fault, S3Server};
use tempfile::TempDir;

use crate::client::block_on;
use crate::home::Home;
use crate::server::Server;

pub(super) struct Installation {
    pub(super) name: &'static str,
    pub(super) home: Home,
    /// Absent if everything is in files.
    servers: Option<Servers>,
}

struct Servers {
    config: String,
    postgres: PostgresServer,
    s3: S3Server,
    _bucket: TempDir,
}

impl Installation {
    pub(super) fn on_files() -> Self {
        Self { name: "SQLite and a folder", home: Home::with_database(None), servers: None }
    }

    /// `None` where PostgreSQL is not installed.
    pub(super) fn on_servers() -> Option<Self> {
        let postgres = PostgresServer::start("")?;
        let url = block_on(postgres.create_database("soak"));
        let bucket = tempfile::tempdir().unwrap();
        let s3 = S3Server::start(bucket.path(), &["images"]).unwrap();
        let (id, secret) = S3Server::key_pair();
        let home = Home::with_database(Some(url))
            .with_variables(vec![("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
        let endpoint = s3.endpoint();
        let config = home.file(
            "config.toml",
            format!(
                "storage = 's3://images/soak'\n[s3]\nendpoint = '{endpoint}'\npath_style = true\nallow_http = true\n"
            )
            .as_bytes(),
        );
        let servers = Some(Servers { config, postgres, s3, _bucket: bucket });
        Some(Self { name: "PostgreSQL and a bucket", home, servers })
    }

    /// The arguments of `serve`.
    pub(super) fn serve_arguments(&self) -> Vec<&str> {
        self.servers.as_ref().map_or_else(Vec::new, |servers| vec!["--config", &servers.config])
    }

    pub(super) fn serve(&self) -> Server {
        self.home.serve_with(&self.serve_arguments(), &[])
    }

    pub(super) fn has_database(&self) -> bool {
        self.servers.is_some()
    }

    /// Restarts the database, politely or as after a crash.
    pub(super) fn restart_database(&self, random: &mut Rng) {
        let mode = random.choice(["fast", "immediate"]).unwrap();
        if let Some(servers) = &self.servers {
            servers.postgres.control(&["restart", &format!("--mode={mode}")]);
        }
    }

    /// Asserts that no two transactions of the servers have waited for each other.
    pub(super) fn assert_no_deadlock(&self) {
        if let Some(servers) = &self.servers {
            let log = fs::read_to_string(servers.postgres.folder().join("log")).unwrap();
            assert!(!log.contains("deadlock detected"), "{log}");
        }
    }

    /// Makes some of the next requests to the object store slow, refused or cut.
    pub(super) fn trouble_store(&self, random: &mut Rng) {
        let Some(servers) = &self.servers else { return };
        let slow = S3Fault::Slow(std::time::Duration::from_millis(300));
        let fault = random.choice([slow, S3Fault::SLOW_DOWN, S3Fault::Cut]).unwrap();
        let method = random.choice([Method::GET, Method::PUT]).unwrap();
        if random.u8(..16) == 0 && (fault != S3Fault::Cut || method == Method::GET) {
            servers.s3.inject(method, fault, random.u64(1..3));
        }
    }
}
