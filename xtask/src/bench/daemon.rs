//! The release binary of Jingku with its own data directory.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::process::Server;
use crate::workspace::{Workspace, run};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A release binary and a data directory.
pub(super) struct Daemon {
    pub(super) binary: PathBuf,
    pub(super) data: PathBuf,
    /// The URL of the database of the catalogue, if it is not a file.
    pub(super) database: Option<String>,
}

/// An account as `jingku account create --json` prints it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Account {
    #[serde(rename = "AccountId")]
    pub(super) id: i64,
    pub(super) public_key: String,
    pub(super) private_key: String,
}

impl Daemon {
    /// Builds only the binary, so that features of this program do not affect it.
    pub(super) fn build(workspace: &Workspace, folder: &Path) -> Result<Self> {
        run(&mut workspace.cargo("build --quiet --release --package jingku"))?;
        Ok(Self {
            binary: workspace.target.join("release/jingku"),
            data: folder.join("data"),
            database: None,
        })
    }

    pub(super) fn serve(&self, more: &[&str]) -> Result<Server> {
        Server::start(self.command(&SERVE).args(more).stderr(Stdio::null()))
    }

    /// Serves on a free port, and reports the images that it creates.
    pub(super) fn serve_and_follow(&self, more: &[&str]) -> Result<(Server, Receiver<Making>)> {
        let mut server = Server::start(self.command(&SERVE).args(more).stderr(Stdio::piped()))?;
        let log = server.child.stderr.take().context("the log is not piped")?;
        Ok((server, follow(log)))
    }

    /// Serves in memory on a free port.
    pub(super) fn serve_in_memory(&self, more: &[&str]) -> Result<Server> {
        let mut command = self.bare_command(&SERVE);
        Server::start(command.arg("--ephemeral").args(more).stderr(Stdio::null()))
    }

    pub(super) fn create_account(&self, name: &str) -> Result<Account> {
        let made = self.run(&["account", "create", name, "--json"])?;
        serde_json::from_str(&made).context("read the output of account create")
    }

    /// Runs a command of the binary and returns what it prints.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).stdin(Stdio::null()).output().context("start jingku")?;
        if !output.status.success() {
            bail!("jingku {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command(arguments);
        command.arg("--data-dir").arg(&self.data);
        command
    }

    /// A command without the caller's settings.
    fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear();
        command.envs(self.database.iter().map(|url| ("JINGKU_DATABASE", url)));
        command
    }
}

/// The creation of one image: how long the server worked on it, and how many bytes it stored.
pub(super) struct Making {
    pub(super) time: Duration,
    pub(super) new_bytes: u64,
}

/// Follows a server's log to its end, because the server must not block on it.
pub(super) fn follow(log: impl Read + Send + 'static) -> Receiver<Making> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut start = Instant::now();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("making image") {
                start = Instant::now();
            }
            let mut words = line.split_whitespace();
            let new_bytes = words.find_map(|word| word.strip_prefix("new_bytes=")?.parse().ok());
            if let Some(new_bytes) = new_bytes.filter(|_| line.contains("image made")) {
                // Nobody may be receiving.
                let _ = sender.send(Making { time: start.elapsed(), new_bytes });
            }
        }
    });
    receiver
}
