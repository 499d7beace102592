//! What the operations do. Each looks at the container first: it may run again after a crash.

use jingku_catalog::{Operation, Pod, PodState};
use jingku_engine::{Engine, EngineError, State};
use serde::{Deserialize, Serialize};

use super::error::PodError;
use super::size::size_without_gpu;
use crate::containers::ContainerFacts;
use crate::failpoint;
use crate::library::Library;

/// How long a container may take to end when it is asked to, in seconds.
const GRACE_SECS: u32 = 30;

/// What an operation was asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodOptions {
    /// Stop without waiting for the container to end by itself.
    pub force: bool,
}

impl Library {
    /// Does what a pod is to have done, and returns the state that it then has. A removed pod is forgotten.
    pub(super) async fn perform(
        &self,
        engine: &Engine,
        pod: &Pod,
        operation: Operation,
    ) -> Result<PodState, PodError> {
        match operation {
            Operation::Create => {
                let is_new = self.ensure_container(engine, pod).await?;
                self.start_container(engine, pod, is_new).await?;
                Ok(PodState::Running)
            }
            Operation::Start => {
                let is_new = self.ensure_container(engine, pod).await?;
                let (cpus, memory_mb) = size_without_gpu(pod).unwrap_or((pod.cpu, pod.memory_mb));
                match self.set_container_size(engine, pod, cpus, memory_mb).await {
                    // It starts with the size that it has.
                    Err(PodError::Engine(EngineError::Unsupported)) => {
                        tracing::warn!(
                            instance_id = pod.id,
                            "the engine cannot change the size of a container"
                        );
                    }
                    sized => sized?,
                }
                self.start_container(engine, pod, is_new).await?;
                Ok(PodState::Running)
            }
            Operation::Stop => {
                let options: PodOptions = serde_json::from_str(&pod.options).unwrap_or_default();
                if self.container_of(engine, pod).await?.is_some() {
                    engine.stop(&pod.id, if options.force { 0 } else { GRACE_SECS }).await?;
                    failpoint::reached("pod.stopped");
                }
                Ok(PodState::Stopped)
            }
            Operation::Reboot => self.reboot(engine, pod).await,
            Operation::Reinstall => {
                self.remove_former_container(engine, pod).await?;
                self.unload_former_image(engine, pod).await?;
                let is_new = self.ensure_container(engine, pod).await?;
                self.start_container(engine, pod, is_new).await?;
                Ok(PodState::Running)
            }
            Operation::Resize => {
                if let Some(container) = self.container_of(engine, pod).await? {
                    let resized = self.set_container_size(engine, pod, pod.cpu, pod.memory_mb).await;
                    if resized.is_err() {
                        // The row shows the size that the container has.
                        let facts = ContainerFacts::from(&container);
                        self.catalog.restore_pod_size(&pod.id, facts.cpu, facts.memory_mb).await?;
                    }
                    resized?;
                }
                Ok(PodState::Stopped)
            }
            Operation::Terminate => {
                if let Some(container) = self.container_of(engine, pod).await? {
                    engine.remove(&container.id).await?;
                    failpoint::reached("pod.removed");
                }
                self.unload_image(engine, pod).await?;
                self.catalog.forget_pod(&pod.id).await?;
                failpoint::reached("pod.forgotten");
                Ok(PodState::Stopped)
            }
        }
    }

    async fn reboot(&self, engine: &Engine, pod: &Pod) -> Result<PodState, PodError> {
        let container = self.container_of(engine, pod).await?;
        let container = container.ok_or_else(|| EngineError::NotFound(pod.id.clone()))?;
        // After a crash it may be done already.
        let is_done = container.state == State::Running && container.started_at > pod.since;
        if !is_done {
            engine.restart(&pod.id, GRACE_SECS).await?;
            failpoint::reached("pod.rebooted");
        }
        self.settle(engine, pod).await?;
        Ok(PodState::Running)
    }

    /// Changes the limits of a container that has others.
    async fn set_container_size(
        &self,
        engine: &Engine,
        pod: &Pod,
        cpus: i64,
        memory_mb: i64,
    ) -> Result<(), PodError> {
        let limits = engine.container(&pod.id).await?.limits;
        let wanted = (u64::try_from(cpus * 1000).unwrap_or(0), u64::try_from(memory_mb << 20).unwrap_or(0));
        if (limits.cpu_milli, limits.memory_bytes) != wanted {
            engine.set_limits(&pod.id, cpus, memory_mb << 20).await?;
        }
        Ok(())
    }

    /// Removes the image that a reinstalled pod had, unless it keeps it.
    async fn unload_former_image(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        // Of the same image the name is the same, and loading it again is cheap compared with knowing that.
        self.unload_image(engine, pod).await?;
        Ok(self.catalog.set_loaded_image(&pod.id, "").await?)
    }
}
