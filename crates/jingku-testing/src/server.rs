//! A server that lives as long as the test that started it.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use compshare::{Client, Config};
use serde::Deserialize;

use crate::lab::{Lab, LabError};

/// A running server in memory, with a lab. Killed when dropped; it also stops when this process ends, however it does.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub base_url: String,
    /// Its accounts, in the order of the fixtures file.
    pub accounts: Vec<Account>,
    /// Drives it.
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

/// What a client signs with. It is worth nothing anywhere else.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyPair {
    /// Names the pair.
    pub public_key: String,
    /// Signs.
    pub private_key: String,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program cannot be started.
    #[error("Cannot start {}: {source}. Install jingku, or name it with JINGKU_BIN.", program.display())]
    Program {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended, or said something else than where it listens. Its own words are on standard error.
    #[error("{} did not tell where it listens: {said:?}. See above what it said.", program.display())]
    Silent {
        /// What was started.
        program: PathBuf,
        /// What it said.
        said: String,
    },
    /// Its lab cannot be talked to.
    #[error(transparent)]
    Lab(#[from] LabError),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    base_url: String,
    accounts: Vec<Account>,
}

impl Server {
    /// Starts the `jingku` that `JINGKU_BIN` names, or else that of the `PATH`, filled by a fixtures file.
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
        // What a developer has set for the server at work does not concern this one.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("JINGKU_")) {
                command.env_remove(name);
            }
        }
        // The pipe is held as long as the child: its end tells the server that this process has ended, even if killed.
        command.env("JINGKU_LOG", "warn").stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |source| StartError::Program { program: program.to_owned(), source };
        let mut child = command.spawn().map_err(failed)?;
        let told = child.stdout.take().map(tell).transpose().map_err(failed)?.unwrap_or_default();
        let Ok(Told { base_url, accounts }) = serde_json::from_str(&told) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(StartError::Silent { program: program.to_owned(), said: told });
        };
        let lab = Lab::new(&base_url)?;
        Ok(Self { child, base_url, accounts, lab })
    }

    /// The settings of a client of the first account.
    pub fn config(&self) -> Config {
        let key = self.accounts.first().and_then(|account| account.keys.first());
        let key = key.cloned().unwrap_or(KeyPair { public_key: String::new(), private_key: String::new() });
        let mut config = Config::new(key.public_key, key.private_key);
        config.base_url.clone_from(&self.base_url);
        config
    }

    /// A client of the first account.
    pub fn client(&self) -> Result<Client, compshare::Error> {
        Client::new(self.config())
    }
}

/// Reads what a server says when it is ready: its address, and in the second line everything as JSON.
fn tell(stdout: impl io::Read) -> io::Result<String> {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    line.clear();
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
