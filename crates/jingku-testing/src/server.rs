//! A server that runs as long as the test that started it.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use compshare::{Client, Config};
use serde::Deserialize;

use crate::lab::{Lab, LabError};

/// A running server in memory, with a lab. Killed when dropped; it also stops when this process ends in any way.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Its address.
    pub base_url: String,
    /// Its accounts, in the order of the fixtures file.
    pub accounts: Vec<Account>,
    /// Its lab.
    pub lab: Lab,
}

/// An account of the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    /// Its number.
    pub account_id: i64,
    /// Its name.
    pub account_name: String,
    /// Its key pairs.
    pub keys: Vec<KeyPair>,
}

/// A key pair, valid only for this server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyPair {
    /// The public key.
    pub public_key: String,
    /// The private key.
    pub private_key: String,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program cannot be started.
    #[error("Cannot start {}: {source}. Install jingku, or set JINGKU_BIN to its path.", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It ended, or its output is not that of Jingku. Its messages are on standard error.
    #[error("{} did not print its address, but {output:?}. Its messages are on standard error.", program.display())]
    Output {
        /// The program.
        program: PathBuf,
        /// Its second line on standard output.
        output: String,
    },
    /// Its lab cannot be used.
    #[error(transparent)]
    Lab(#[from] LabError),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Announcement {
    base_url: String,
    accounts: Vec<Account>,
}

impl Server {
    /// Starts the `jingku` of `JINGKU_BIN`, or else of the `PATH`, with the data of a fixtures file.
    pub fn start(fixtures: Option<&Path>) -> Result<Self, StartError> {
        let program = env::var_os("JINGKU_BIN").filter(|name| !name.is_empty());
        Self::start_program(Path::new(&program.unwrap_or_else(|| "jingku".into())), fixtures)
    }

    /// Starts this program.
    pub fn start_program(program: &Path, fixtures: Option<&Path>) -> Result<Self, StartError> {
        let mut command = Command::new(program);
        command.args([
            "serve",
            "--ephemeral",
            "--lab",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--exit-with-parent",
        ]);
        if let Some(fixtures) = fixtures {
            command.arg("--fixtures").arg(fixtures);
        }
        // Variables that a developer has set for another server do not apply.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("JINGKU_")) {
                command.env_remove(name);
            }
        }
        // The pipe closes when this process ends, even if killed; then the server stops.
        command.env("JINGKU_LOG", "warn").stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |source| StartError::Program { program: program.to_owned(), source };
        let mut child = command.spawn().map_err(failed)?;
        let output =
            child.stdout.take().map(read_announcement).transpose().map_err(failed)?.unwrap_or_default();
        let Ok(Announcement { base_url, accounts }) = serde_json::from_str(&output) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(StartError::Output { program: program.to_owned(), output });
        };
        let lab = Lab::new(&base_url)?;
        Ok(Self { child, base_url, accounts, lab })
    }

    /// The settings of a client of the first account.
    pub fn config(&self) -> Config {
        let key = self.accounts.first().and_then(|account| account.keys.first());
        let key = key.cloned().unwrap_or_default();
        let mut config = Config::new(key.public_key, key.private_key);
        config.base_url.clone_from(&self.base_url);
        config
    }

    /// A client of the first account.
    pub fn client(&self) -> Result<Client, compshare::Error> {
        Client::new(self.config())
    }
}

/// Reads what a server prints when it is ready: its address, and in the second line everything as JSON.
fn read_announcement(stdout: impl io::Read) -> io::Result<String> {
    let mut stdout = BufReader::new(stdout);
    stdout.skip_until(b'\n')?;
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    Ok(line)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
