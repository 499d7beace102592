//! Runs the operations that the catalogue names.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{Operation, OperationEnd, Pod, PodState};
use jingku_engine::{Engine, EngineError, State};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::error::PodError;
use crate::containers::{ContainerFacts, content_of};
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::lock::lock;

/// How long an operation may take that loads an image.
const INSTALL_TIMEOUT: Duration = Duration::from_hours(3);
/// How long any other may take, as on CompShare.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(10);
/// How long an operation waits for an engine that does not answer, in seconds: a server may start before its engine.
const AWAY_SECS: i64 = 30;
/// Maximum number of operations that run at once.
const OPERATIONS_MAX: usize = 16;

impl Library {
    /// Starts the operations that do not run yet, in `tasks`, and ends those that another one replaced.
    pub(crate) async fn run_operations(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> Result<(), Internal> {
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "an operation on an instance panicked and is repeated");
            }
        }
        for pod in self.catalog.busy_pods().await? {
            let Some(operation) = pod.operation else { continue };
            let mut running = lock(&self.pods.running);
            running.retain(|_, (_, task)| !task.is_finished());
            match running.get(&pod.id) {
                Some((since, _)) if *since == pod.since => continue,
                // It is aborted where it waits. The next round begins the other operation.
                Some((_, task)) => {
                    task.abort();
                    self.pods.wake.notify_one();
                    continue;
                }
                None => {}
            }
            if tasks.len() >= OPERATIONS_MAX {
                break;
            }
            let (library, id, since) = (Arc::clone(self), pod.id.clone(), pod.since);
            let task = tasks.spawn(async move { library.run_operation(&pod, operation).await });
            running.insert(id, (since, task));
        }
        Ok(())
    }

    async fn run_operation(&self, pod: &Pod, operation: Operation) {
        failpoint::passed("pod.begun");
        let time = match operation {
            Operation::Create | Operation::Reinstall | Operation::Start => INSTALL_TIMEOUT,
            Operation::Stop | Operation::Reboot | Operation::Resize | Operation::Terminate => {
                OPERATION_TIMEOUT
            }
        };
        // A server that was restarted meanwhile does not give it more time.
        let passed = self.clock.now() - pod.since;
        let left = time.saturating_sub(Duration::from_secs(u64::try_from(passed).unwrap_or(0)));
        let left = if operation == Operation::Terminate { time } else { left };
        let performed = timeout(left, self.try_operation(pod, operation)).await;
        let result = performed.unwrap_or(Err(PodError::Overdue));
        let is_early = self.clock.now() - pod.since < AWAY_SECS;
        match &result {
            Err(PodError::Away(_)) if is_early => return,
            // The instance is gone, so nobody can ask again.
            Err(error) if operation == Operation::Terminate => {
                tracing::warn!(
                    instance_id = pod.id,
                    error = error as &dyn Error,
                    "cannot remove a container yet"
                );
                return;
            }
            Ok(_) if operation == Operation::Terminate => {
                tracing::info!(instance_id = pod.id, "instance terminated");
                return;
            }
            Ok(_) | Err(_) => {}
        }
        let ended = self.end_operation(pod, operation, result).await;
        if let Err(error) = ended {
            tracing::error!(instance_id = pod.id, error = &error as &dyn Error, "cannot record an operation");
        }
    }

    async fn try_operation(&self, pod: &Pod, operation: Operation) -> Result<PodState, PodError> {
        let engine = self.engine_of_pods().await?;
        self.perform(&engine, pod, operation).await
    }

    /// Connects to the engine.
    pub(super) async fn engine_of_pods(&self) -> Result<Engine, PodError> {
        let engine = self.containers.engine().await;
        Ok(engine.unwrap_or_else(|| Err(EngineError::Away("there is none".to_owned())))?)
    }

    /// Records how an operation ended, and the container as it is then.
    async fn end_operation(
        &self,
        pod: &Pod,
        operation: Operation,
        result: Result<PodState, PodError>,
    ) -> Result<(), Internal> {
        let container = match self.engine_of_pods().await {
            // Not one of the operator's that has its name.
            Ok(engine) => self.container_of(&engine, pod).await.ok().flatten(),
            Err(_) => None,
        };
        let is_running =
            container.as_ref().map(|container| matches!(container.state, State::Running | State::Paused));
        let (state, failed_reason) = match &result {
            Ok(state) => (*state, String::new()),
            Err(error) => {
                let state = match operation {
                    Operation::Create | Operation::Reinstall => PodState::InstallFail,
                    Operation::Start
                    | Operation::Stop
                    | Operation::Reboot
                    | Operation::Resize
                    | Operation::Terminate => match is_running {
                        Some(true) => PodState::Running,
                        Some(false) => PodState::Stopped,
                        None => pod.state,
                    },
                };
                let operation = operation.as_str();
                tracing::error!(
                    instance_id = pod.id,
                    operation,
                    error = error as &dyn Error,
                    "an operation on an instance failed"
                );
                (state, error.reason())
            }
        };
        let facts = container.as_ref().map(|container| ContainerFacts::from(container).to_json());
        let disk = container.as_ref().map(|container| content_of(&container.id));
        let end = OperationEnd {
            state,
            failed_reason: &failed_reason,
            container: facts.as_deref(),
            disk: disk.as_deref(),
        };
        failpoint::reached("pod.before_end");
        if self.catalog.end_operation(&pod.id, operation, end, self.clock.now()).await? && result.is_ok() {
            tracing::info!(instance_id = pod.id, operation = operation.as_str(), "operation ended");
        }
        failpoint::reached("pod.after_end");
        Ok(())
    }
}
