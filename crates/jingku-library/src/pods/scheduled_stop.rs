//! Stops pods at the time that their owner chose.

use jingku_catalog::{BeginOperation, NewOperation, Operation, PodState};

use super::operation::PodOptions;
use crate::error::Internal;
use crate::library::Library;

impl Library {
    /// Begins to stop the pods whose time has come. One that does not run forgets its time.
    pub(crate) async fn stop_due_pods(&self) -> Result<(), Internal> {
        let now = self.clock.now();
        for pod in self.catalog.due_pods(now).await? {
            let options = serde_json::to_string(&PodOptions::default()).expect("flags serialise");
            let stop = NewOperation {
                account: pod.account,
                id: &pod.id,
                operation: Operation::Stop,
                allowed: &[PodState::Running],
                replaces: &[],
                options: &options,
                without_gpu: None,
            };
            match self.catalog.begin_operation(stop, now).await? {
                BeginOperation::Begun => {
                    tracing::info!(
                        instance_id = pod.id,
                        stop_at = pod.stop_at,
                        "an instance is stopped as scheduled"
                    );
                }
                BeginOperation::Runs | BeginOperation::NotAllowed(_) | BeginOperation::NotFound => {}
                // Stopped when that is done.
                BeginOperation::Busy | BeginOperation::MakingImage | BeginOperation::DeviceUsed => continue,
            }
            // After the stop: a crash in between stops it again at worst.
            self.catalog.forget_stop_at(&pod.id, pod.stop_at).await?;
        }
        Ok(())
    }
}
