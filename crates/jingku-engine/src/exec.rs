//! Runs commands in containers.

use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecResults};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::engine::Engine;
use crate::error::EngineError;

/// How long a command may run.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// The code of a command that cannot be started, as shells have it.
const NOT_STARTED: i64 = 127;

impl Engine {
    /// Runs a command as root in a running container, with `input` as its standard input. Returns its exit code; 126 or 127
    /// if the container does not have the command. Its output is discarded.
    pub fn run<'a>(
        &'a self,
        id: &'a str,
        command: &'a [&'a str],
        input: &'a [u8],
    ) -> BoxFuture<'a, Result<i64, EngineError>> {
        let run = timeout(COMMAND_TIMEOUT, self.run_patiently(id, command, input));
        Box::pin(async { run.await.unwrap_or(Err(EngineError::Slow)) })
    }

    async fn run_patiently(&self, id: &str, command: &[&str], input: &[u8]) -> Result<i64, EngineError> {
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: Some("0"),
            cmd: Some(command.to_vec()),
            ..CreateExecOptions::default()
        };
        let exec = self.docker.create_exec(id, options).await?.id;
        let started = match self.docker.start_exec(&exec, None).await.map_err(EngineError::from) {
            // Docker, without the command in the container.
            Err(EngineError::Failed(why)) if why.contains("executable file not found") => {
                return Ok(NOT_STARTED);
            }
            started => started?,
        };
        if let StartExecResults::Attached { mut output, input: mut stdin } = started {
            // A command that does not read its input has closed it.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
            while let Some(Ok(_)) = output.next().await {}
        }
        let ended = self.docker.inspect_exec(&exec).await?;
        Ok(ended.exit_code.unwrap_or(NOT_STARTED))
    }
}
