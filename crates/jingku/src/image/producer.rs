//! The command whose output is imported.

use std::ffi::OsString;
use std::io::PipeReader;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::run::cannot_start;

/// How long the command of an import may take to end after it has closed its output.
const END_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the command of an import may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Producer {
    child: Child,
    pub(super) name: String,
}

impl Producer {
    /// Starts a command that shares our standard input and error.
    pub(super) fn spawn(words: &[OsString]) -> Result<(Self, PipeReader), Failure> {
        let name = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let [program, arguments @ ..] = words else { unreachable!("clap insists on a command") };
        let failed = |error| cannot_start(program, &error);
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(writer).kill_on_drop(true);
        let child = command.spawn().map_err(failed)?;
        // This closes our write end of the pipe, so that the output ends with the command.
        drop(command);
        Ok((Self { child, name }, reader))
    }

    /// Waits until it fails; for ever if it succeeds.
    pub(super) async fn failed(&mut self) -> Failure {
        match self.exited().await {
            Ok(()) => std::future::pending().await,
            Err(failure) => failure,
        }
    }

    /// Waits until it exits, which should follow the end of its output.
    pub(super) async fn ended(&mut self) -> Result<(), Failure> {
        let ended = timeout(END_TIMEOUT, self.exited()).await;
        ended.unwrap_or_else(|_| {
            let message = tr!("import-producer-stuck", command = self.name);
            Err(Failure::new(Exit::ProducerFailed, message))
        })
    }

    async fn exited(&mut self) -> Result<(), Failure> {
        let status = self.child.wait().await.map_err(Failure::fault)?;
        if status.success() {
            return Ok(());
        }
        let message = tr!("import-producer-failed", command = self.name, status = status.to_string());
        Err(Failure::new(Exit::ProducerFailed, message))
    }

    pub(super) async fn stop(mut self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // It may have exited in the meantime.
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
