//! Calls to an engine. Those that an action waits for are boxed, so that no other crate compiles the client of the engine again.

use std::time::Duration;

use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, InspectContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, RestartContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::future::BoxFuture;

use crate::container::{Container, Listed};
use crate::error::EngineError;
use crate::export::{EXPORT_START_TIMEOUT, Export};

/// How long an engine may take to answer a question, in seconds.
const ANSWER_SECS_MAX: u64 = 20;
/// How long it may take to create, start or remove a container: a slow disk delays that.
pub(crate) const CHANGE_TIMEOUT: Duration = Duration::from_mins(2);
/// How long an engine may take to count the bytes of a container.
const COUNT_TIMEOUT: Duration = Duration::from_mins(5);
/// How much longer than the grace period stopping a container may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often an engine is asked about a container that is ending.
const ENDING_LOOKS: u32 = 10;
/// The time between.
const ENDING_LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// A connection to an engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) docker: Docker,
}

impl Engine {
    /// Connects to the engine at an address such as `unix:///run/podman/podman.sock`.
    pub fn connect(url: &str) -> BoxFuture<'_, Result<Self, EngineError>> {
        Box::pin(async move {
            let socket = url.strip_prefix("unix://").filter(|path| path.starts_with('/'));
            let socket = socket.ok_or_else(|| EngineError::Address { url: url.to_owned() })?;
            let docker = Docker::connect_with_unix(socket, ANSWER_SECS_MAX, API_DEFAULT_VERSION)?;
            // Podman 4 and Docker 20 both answer 1.41, and refuse what a newer client asks.
            Ok(Self { docker: docker.negotiate_version().await? })
        })
    }

    /// Lists all containers, running or not. Waits for a moment while one is ending.
    pub async fn containers(&self) -> Result<Vec<Listed>, EngineError> {
        for _ in 0..ENDING_LOOKS {
            let options = ListContainersOptionsBuilder::new().all(true).build();
            match self.docker.list_containers(Some(options)).await.map_err(EngineError::from) {
                Err(EngineError::Ending) => tokio::time::sleep(ENDING_LOOK_INTERVAL).await,
                listed => return Ok(listed?.into_iter().map(Listed::from).collect()),
            }
        }
        Err(EngineError::Ending)
    }

    /// Asks about a container, by id or name. Waits for a moment while it is ending.
    pub fn container<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Container, EngineError>> {
        Box::pin(async move {
            for _ in 0..ENDING_LOOKS {
                match self.docker.inspect_container(id, None).await.map_err(EngineError::from) {
                    Err(EngineError::Ending) => tokio::time::sleep(ENDING_LOOK_INTERVAL).await,
                    inspected => return inspected.map(Container::from),
                }
            }
            Err(EngineError::Ending)
        })
    }

    /// Asks about a container and has the engine count its bytes, which reads every directory of it.
    pub async fn counted_container(&self, id: &str) -> Result<Container, EngineError> {
        let options = InspectContainerOptionsBuilder::new().size(true).build();
        Ok(self.patient(COUNT_TIMEOUT).inspect_container(id, Some(options)).await?.into())
    }

    /// Reads all files of a container as a tar archive.
    pub fn export(&self, id: &str) -> Export {
        // Podman answers when it has written the archive to a temporary file.
        Export::start(self.patient(EXPORT_START_TIMEOUT).export_container(id))
    }

    /// Reads one file of a container as a tar archive.
    pub fn export_file(&self, id: &str, path: &str) -> Export {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        Export::start(self.docker.download_from_container(id, Some(options)))
    }

    /// Freezes the processes of a container.
    pub async fn pause(&self, id: &str) -> Result<(), EngineError> {
        Ok(self.patient(CHANGE_TIMEOUT).pause_container(id).await?)
    }

    /// Resumes the processes of a container.
    pub async fn unpause(&self, id: &str) -> Result<(), EngineError> {
        Ok(self.patient(CHANGE_TIMEOUT).unpause_container(id).await?)
    }

    /// Starts a container. Does nothing if it runs.
    pub async fn start(&self, id: &str) -> Result<(), EngineError> {
        Ok(self.patient(CHANGE_TIMEOUT).start_container(id, None).await?)
    }

    /// Stops a container: it is asked to end, and killed after the grace period. Does nothing if it does not run.
    pub async fn stop(&self, id: &str, grace_secs: u32) -> Result<(), EngineError> {
        let options = StopContainerOptionsBuilder::new().t(grace_secs.try_into().unwrap_or(i32::MAX)).build();
        Ok(self.patient(stop_timeout(grace_secs)).stop_container(id, Some(options)).await?)
    }

    /// Stops a container and starts it again.
    pub async fn restart(&self, id: &str, grace_secs: u32) -> Result<(), EngineError> {
        let options =
            RestartContainerOptionsBuilder::new().t(grace_secs.try_into().unwrap_or(i32::MAX)).build();
        Ok(self.patient(stop_timeout(grace_secs)).restart_container(id, Some(options)).await?)
    }

    /// Removes a container with its files. Does nothing if it is gone.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.patient(CHANGE_TIMEOUT).remove_container(id, Some(options)).await;
        match removed.map_err(EngineError::from) {
            Err(EngineError::NotFound(_)) => Ok(()),
            done => done,
        }
    }

    pub(crate) fn patient(&self, timeout: Duration) -> Docker {
        self.docker.clone().with_timeout(timeout)
    }
}

fn stop_timeout(grace_secs: u32) -> Duration {
    STOP_TIMEOUT + Duration::from_secs(grace_secs.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    use super::*;

    /// Answers at once, but an export later than other answers may come.
    async fn slow_engine(listener: UnixListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while let Ok(1..) = stream.read(&mut request).await {
                    let is_export = String::from_utf8_lossy(&request).contains("/export");
                    let seconds = if is_export { ANSWER_SECS_MAX + 2 } else { 0 };
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    let body = r#"{"ApiVersion":"1.41"}"#;
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    if stream.write_all(head.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    #[tokio::test]
    async fn an_export_may_begin_later_than_other_answers() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        tokio::spawn(slow_engine(UnixListener::bind(&socket).unwrap()));
        let engine = Engine::connect(&format!("unix://{}", socket.display())).await.unwrap();
        let mut export = engine.export("trainer");
        let read = tokio::task::spawn_blocking(move || {
            let mut archive = Vec::new();
            export.read_to_end(&mut archive).map(|_| archive)
        });
        assert!(read.await.unwrap().unwrap().starts_with(b"{"));
    }
}
