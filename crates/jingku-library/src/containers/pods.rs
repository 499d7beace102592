//! What the engine says about the containers that the API created.

use jingku_catalog::{KnownContainer, Pod, PodState, SeenPod};

use super::facts::{ContainerFacts, ContainerState};
use super::sync::{SyncError, content_of};
use crate::library::Library;

/// How long a pod may be without a container after an operation, in seconds: the list of containers may be older.
const MISSING_SECS: i64 = 10;
/// What the owner of a pod reads whose container somebody removed.
const REMOVED: &str = "The container was removed from the engine. Stop the instance, then start it to create the \
                       container again from its image, or reinstall or delete it.";

impl Library {
    /// Records what the engine says about the container of a pod, if that changed. Its name, place and size are what the
    /// API was asked for.
    pub(super) async fn see_pod(
        &self,
        known: &KnownContainer,
        pod: &Pod,
        facts: &ContainerFacts,
        size_bytes: i64,
        now: i64,
    ) -> Result<(), SyncError> {
        let state = match facts.state {
            ContainerState::Running | ContainerState::Starting => PodState::Running,
            ContainerState::Stopped | ContainerState::Stopping if pod.state == PodState::InstallFail => {
                PodState::InstallFail
            }
            ContainerState::Stopped | ContainerState::Stopping => PodState::Stopped,
        };
        let (text, disk) = (facts.to_json(), content_of(&facts.engine_id));
        let is_same = known.container == text
            && known.disk == disk
            && known.size_bytes == size_bytes
            && (pod.state == state || pod.operation.is_some());
        if is_same {
            return Ok(());
        }
        let seen = SeenPod {
            id: &known.id,
            container: &text,
            disk: &disk,
            size_bytes,
            state,
            failed_reason: "",
            started_at: facts.started_at,
            stopped_at: facts.stopped_at,
        };
        Ok(self.catalog.see_pod(seen, now).await?)
    }

    /// Records that the engine has no container of a pod.
    pub(super) async fn miss_pod(
        &self,
        known: &KnownContainer,
        pod: &Pod,
        now: i64,
    ) -> Result<(), SyncError> {
        let facts = ContainerFacts::parse(&known.id, &known.container)?;
        // It never had one, or it is known that it has none.
        let is_expected = facts.engine_id.is_empty() || pod.state == PodState::InstallFail;
        if is_expected || pod.operation.is_some() || now - pod.since < MISSING_SECS {
            return Ok(());
        }
        tracing::warn!(instance_id = known.id, "the container of an instance was removed from the engine");
        let seen = SeenPod {
            id: &known.id,
            container: &ContainerFacts::default().to_json(),
            disk: "{}",
            size_bytes: known.size_bytes,
            state: PodState::InstallFail,
            failed_reason: REMOVED,
            started_at: pod.started_at,
            stopped_at: now,
        };
        Ok(self.catalog.see_pod(seen, now).await?)
    }
}
