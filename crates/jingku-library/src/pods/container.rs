//! The container of a pod.

use std::collections::BTreeMap;
use std::time::Duration;

use jingku_catalog::{Pod, PortKind};
use jingku_engine::{Container, Engine, EngineError, NewContainer, State};
use secrecy::ExposeSecret;

use super::error::PodError;
use super::size::size_without_gpu;
use crate::containers::{ACCOUNT_LABEL, ID_LABEL};
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;

/// Tells which operation created a container: a reinstallation replaces the container of every other.
const CREATED_LABEL: &str = "jingku.created";
/// How long a command must run to count as started.
const SETTLE_TIME: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOKS: u32 = 4;

impl Library {
    /// The container of a pod; `None` if it has none.
    pub(super) async fn container_of(
        &self,
        engine: &Engine,
        pod: &Pod,
    ) -> Result<Option<Container>, PodError> {
        match engine.container(&pod.id).await {
            Ok(container) if container.labels.get(ID_LABEL) == Some(&pod.id) => Ok(Some(container)),
            Ok(_) => Err(PodError::NameTaken),
            Err(EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Has the pod have a container: the one that exists, or a new one from its image. Returns whether this operation
    /// created it, maybe before a crash.
    pub(super) async fn ensure_container(&self, engine: &Engine, pod: &Pod) -> Result<bool, PodError> {
        let container = match self.container_of(engine, pod).await? {
            Some(container) => container,
            None => self.create_container(engine, pod).await?,
        };
        let is_new = is_created_by(&container, pod);
        // An engine that does not know CDI, such as Podman 4, ignores the GPUs.
        if is_new && !pod.devices.is_empty() && container.limits.gpus.is_empty() {
            engine.remove(&container.id).await?;
            return Err(PodError::NoCdi);
        }
        Ok(is_new)
    }

    async fn create_container(&self, engine: &Engine, pod: &Pod) -> Result<Container, PodError> {
        let image = self.load_image(engine, pod).await?;
        let settings = &self.config.containers;
        let published = self.catalog.pod_ports(&[&pod.id]).await?.into_iter().filter_map(|port| {
            let protocol = match port.kind {
                PortKind::Http | PortKind::Tcp => "tcp",
                PortKind::Udp => "udp",
            };
            let host_port = u16::try_from(port.host_port).ok()?;
            Some((format!("{}/{protocol}", port.port), (settings.publish.to_string(), host_port)))
        });
        let labels = BTreeMap::from([
            (ID_LABEL.to_owned(), pod.id.clone()),
            (ACCOUNT_LABEL.to_owned(), pod.account.0.to_string()),
            (CREATED_LABEL.to_owned(), pod.since.to_string()),
        ]);
        let (cpus, memory_mb) = size_without_gpu(pod).unwrap_or((pod.cpu, pod.memory_mb));
        let new = NewContainer {
            name: pod.id.clone(),
            image,
            labels,
            published: published.collect(),
            cpus,
            memory_bytes: memory_mb << 20,
            gpus: pod.devices.clone(),
        };
        let id = engine.create(&new).await?;
        failpoint::reached("pod.created");
        Ok(engine.container(&id).await?)
    }

    /// Starts the container of a pod and waits until it seems to keep running. If it is new, or never ran, root then has
    /// its keys and its password.
    pub(super) async fn start_container(
        &self,
        engine: &Engine,
        pod: &Pod,
        is_new: bool,
    ) -> Result<(), PodError> {
        let is_new = is_new || pod.password_pending;
        if is_new {
            self.write_ssh_keys(engine, pod).await?;
            self.write_host_key(engine, pod).await?;
        }
        engine.start(&pod.id).await?;
        failpoint::reached("pod.started");
        self.settle(engine, pod).await?;
        if is_new {
            let password = self.open_password(pod).map_err(Internal::from)?;
            let password = password.expose_secret();
            // Empty for a pod with keys only.
            if !password.is_empty() {
                self.set_root_password(engine, &pod.id, password).await?;
            }
            self.catalog.set_pod_password(&pod.id, &pod.password).await?;
            failpoint::reached("pod.password_set");
        }
        Ok(())
    }

    /// Fails if the command of the container ends at once.
    pub(super) async fn settle(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        for _ in 0..LOOKS {
            tokio::time::sleep(SETTLE_TIME / LOOKS).await;
            let is_steady = match engine.container(&pod.id).await {
                Ok(container) => container.state == State::Running && container.restarts == 0,
                Err(EngineError::Ending) => false,
                Err(error) => return Err(error.into()),
            };
            if !is_steady {
                // Otherwise the engine would start it for ever.
                engine.stop(&pod.id, 0).await?;
                return Err(PodError::Ended(engine.container(&pod.id).await?.exit_code));
            }
        }
        Ok(())
    }

    /// Sets the password of root in a running container. Returns whether the container can do that: an image without
    /// `chpasswd` has no passwords.
    pub(super) async fn set_root_password(
        &self,
        engine: &Engine,
        id: &str,
        password: &str,
    ) -> Result<bool, PodError> {
        let line = format!("root:{password}\n");
        let code = engine.run(id, &["chpasswd"], line.as_bytes()).await?;
        if code != 0 {
            tracing::info!(instance_id = id, code, "the container does not set passwords");
        }
        Ok(code == 0)
    }

    /// Removes the container of a pod, unless this operation created it.
    pub(super) async fn remove_former_container(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        let Some(container) = self.container_of(engine, pod).await? else { return Ok(()) };
        if !is_created_by(&container, pod) {
            engine.remove(&container.id).await?;
            failpoint::reached("pod.former_removed");
        }
        Ok(())
    }
}

/// Tells whether the operation of a pod created this container.
fn is_created_by(container: &Container, pod: &Pod) -> bool {
    container.labels.get(CREATED_LABEL) == Some(&pod.since.to_string())
}
