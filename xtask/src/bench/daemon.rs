//! The release binary of Jingku with its own data directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::process::Server;
use crate::workspace::{Workspace, run};

/// A release binary and a data directory.
#[derive(Clone)]
pub(super) struct Daemon {
    binary: PathBuf,
    /// In the working folder of the benchmark.
    pub(super) data: PathBuf,
}

/// An account as `jingku account create --json` prints it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Account {
    #[serde(rename = "AccountId")]
    pub(super) id: i64,
    pub(super) public_key: String,
    pub(super) private_key: String,
}

/// Builds only the binary, so that features of this program do not affect it.
pub(super) fn build_release(workspace: &Workspace) -> Result<PathBuf> {
    run(&mut workspace.cargo("build --quiet --release --package jingku"))?;
    Ok(workspace.target.join("release/jingku"))
}

impl Daemon {
    pub(super) fn new(binary: PathBuf, folder: &Path) -> Self {
        Self { binary, data: folder.join("data") }
    }

    /// Serves on a free port.
    pub(super) fn serve(&self) -> Result<Server> {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()))
    }

    /// Serves on a free port. The caller must read the log, or the server blocks.
    pub(super) fn serve_with_log(&self) -> Result<Server> {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()))
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

    /// A command on the data directory, without the caller's settings.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command(arguments);
        command.arg("--data-dir").arg(&self.data);
        command
    }

    /// Serves in memory on a free port.
    pub(super) fn serve_in_memory(&self, more: &[&str]) -> Result<Server> {
        let serve = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"];
        Server::start(self.bare_command(&[&serve, more].concat()).stderr(Stdio::null()))
    }

    /// A command without the caller's settings.
    fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("JINGKU_") {
                command.env_remove(name);
            }
        }
        command.args(arguments);
        command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env("NO_PROXY", "*");
        command
    }
}
