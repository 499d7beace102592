//! Brings the catalogue up to what the engine says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering;

use jingku_catalog::{KnownContainer, NewInstance, Operation, PutContainer};
use jingku_engine::{Container, Engine, EngineError, Listed, State};

use super::facts::ContainerFacts;
use crate::error::Internal;
use crate::library::Library;
use crate::lock::lock;
use crate::operator::check_instance_id;

/// Names the instance that a container is.
pub(crate) const ID_LABEL: &str = "jingku.instance";
/// The number of its account; 1 if absent.
pub(crate) const ACCOUNT_LABEL: &str = "jingku.account";
/// Its GPU model.
const GPU_TYPE_LABEL: &str = "jingku.gpu_type";
/// Its zone; the default zone if absent.
const ZONE_LABEL: &str = "jingku.zone";

/// How long a container that seems unchanged is not asked about, in seconds.
const INSPECT_SECS: i64 = 60;
/// How often it is recorded that the engine answers, in seconds: each time is a change of the catalogue.
const SEEN_SECS: i64 = 60;
/// The most containers that are instances.
const CONTAINERS_MAX: usize = 10_000;

/// Why the catalogue could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl From<jingku_catalog::CatalogError> for SyncError {
    fn from(error: jingku_catalog::CatalogError) -> Self {
        Self::Internal(error.into())
    }
}

/// A container that is an instance.
struct Owned {
    listed: Listed,
    id: String,
    account: i64,
}

impl Library {
    /// Asks the engine once, and records what changed. Does nothing without an engine.
    pub(crate) async fn sync_containers(&self) -> Result<(), SyncError> {
        let Some(engine) = self.containers.engine().await else { return Ok(()) };
        let engine = engine?;
        let now = self.clock.now();
        let listed = engine.containers().await.inspect_err(|_| self.containers.disconnect())?;
        let known = self.catalog.containers().await?;
        let known: HashMap<&str, &KnownContainer> =
            known.iter().map(|known| (known.id.as_str(), known)).collect();
        lock(&self.containers.ignored).retain(|id| listed.iter().any(|listed| listed.id == *id));
        let busy = self.catalog.busy_pods().await?;
        let is_removed =
            |id: &str| busy.iter().any(|pod| pod.id == id && pod.operation == Some(Operation::Terminate));
        let mut owned = self.all_owned(listed, &known);
        owned.retain(|owned| !is_removed(&owned.id));
        for owned in owned.iter().take(CONTAINERS_MAX) {
            self.sync_one(&engine, owned, known.get(owned.id.as_str()).copied(), now).await?;
        }
        let ids: HashSet<&str> = owned.iter().map(|owned| owned.id.as_str()).collect();
        for gone in known.values().filter(|known| !ids.contains(known.id.as_str())) {
            match &gone.pod {
                Some(pod) => self.miss_pod(gone, pod, now).await?,
                // An instance whose image is being made stays until that job ended.
                None => drop(self.catalog.remove_instance(&gone.id, now).await?),
            }
        }
        let engine_ids: HashSet<&str> = owned.iter().map(|owned| owned.listed.id.as_str()).collect();
        lock(&self.containers.inspected).retain(|id, _| engine_ids.contains(id.as_str()));
        if !(0..SEEN_SECS).contains(&(now - self.containers.seen_at.load(Ordering::Relaxed))) {
            self.catalog.see_containers(now).await?;
            self.containers.seen_at.store(now, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The containers that are instances. Of several that name one id, the container that has it keeps it.
    fn all_owned(&self, listed: Vec<Listed>, known: &HashMap<&str, &KnownContainer>) -> Vec<Owned> {
        let has_id = |owned: &Owned| {
            known.get(owned.id.as_str()).is_some_and(|known| known.disk == content_of(&owned.listed.id))
        };
        let mut all: Vec<Owned> = listed.into_iter().filter_map(|listed| self.owned(listed)).collect();
        all.sort_by(|one, other| (&one.id, !has_id(one)).cmp(&(&other.id, !has_id(other))));
        all.dedup_by(|later, first| {
            let is_same = later.id == first.id;
            if is_same {
                self.ignore(&later.listed, "its instance ID is in use");
            }
            is_same
        });
        all
    }

    /// Logs once why a container is not an instance.
    fn ignore(&self, listed: &Listed, why: &str) {
        if lock(&self.containers.ignored).insert(listed.id.clone()) {
            tracing::warn!(container = listed.names.join(","), why, "a container is ignored");
        }
    }

    /// Who owns a container: its labels or the configuration say so, nobody else.
    fn owned(&self, listed: Listed) -> Option<Owned> {
        let named = &self.config.containers.instances;
        let named = named.iter().find(|named| listed.names.contains(&named.container));
        let (id, account) = if let Some(named) = named {
            let id = named.id.clone().unwrap_or_else(|| format!("cpod-{}", named.container));
            (id, named.account)
        } else {
            let account = listed.labels.get(ACCOUNT_LABEL).map_or(Ok(1), |number| number.parse());
            (listed.labels.get(ID_LABEL)?.clone(), account.unwrap_or(0))
        };
        if account < 1 || check_instance_id(&id).is_err() {
            self.ignore(&listed, "its labels are not valid");
            return None;
        }
        Some(Owned { listed, id, account })
    }

    async fn sync_one(
        &self,
        engine: &Engine,
        owned: &Owned,
        known: Option<&KnownContainer>,
        now: i64,
    ) -> Result<(), SyncError> {
        let (engine_id, status) = (&owned.listed.id, &owned.listed.status);
        let is_paused_for_nobody = known.is_some_and(|known| {
            !known.paused_for.is_empty() && self.running.get(&known.paused_for).is_none()
        });
        if is_paused_for_nobody {
            self.resume(engine, engine_id, &owned.id).await?;
        }
        let fresh = lock(&self.containers.inspected)
            .get(engine_id)
            .is_some_and(|(seen, at)| seen == status && now - at < INSPECT_SECS && now >= *at);
        // Without a row, the container is one that is ignored.
        if fresh && known.is_none_or(|known| known.size_bytes > 0) && !is_paused_for_nobody {
            return Ok(());
        }
        let counted = known.map_or(0, |known| known.size_bytes);
        let inspected = match counted {
            0 => engine.counted_container(engine_id).await,
            _ => engine.container(engine_id).await,
        };
        let container = match inspected {
            // It was removed since it was listed.
            Err(EngineError::NotFound(_)) => return Ok(()),
            inspected => inspected?,
        };
        self.record(owned, &container, counted, known, now).await?;
        lock(&self.containers.inspected).insert(engine_id.clone(), (status.clone(), now));
        Ok(())
    }

    async fn record(
        &self,
        owned: &Owned,
        container: &Container,
        counted: i64,
        known: Option<&KnownContainer>,
        now: i64,
    ) -> Result<(), SyncError> {
        let facts = ContainerFacts::from(container);
        let text = facts.to_json();
        let source = content_of(&container.id);
        let size_bytes =
            container.size_bytes.map_or(counted, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX).max(1));
        let is_same = |known: &KnownContainer| {
            known.container == text
                && known.disk == source
                && known.size_bytes == size_bytes
                && known.account.0 == owned.account
        };
        if let Some((known, pod)) = known.and_then(|known| Some((known, known.pod.as_ref()?))) {
            return self.see_pod(known, pod, &facts, size_bytes, now).await;
        }
        if known.is_some_and(is_same) {
            return Ok(());
        }
        let label = |name| container.labels.get(name).map(String::as_str);
        let zone =
            self.zones.find(label(ZONE_LABEL).unwrap_or_default()).or_else(|| self.zones.iter().next());
        let zone = zone.ok_or_else(|| Internal::BadRow("there is no zone".to_owned()))?;
        let gpu_type = if facts.gpus > 0 {
            label(GPU_TYPE_LABEL).unwrap_or(&self.config.containers.gpu_type)
        } else {
            ""
        };
        let new = NewInstance {
            id: &owned.id,
            account: jingku_catalog::AccountId(owned.account),
            name: &container.name,
            region: &zone.region,
            zone: &zone.zone,
            disk: &source,
            size_bytes,
            gpu_type,
            container: Some(&text),
        };
        if self.catalog.account(new.account).await?.is_none() {
            self.ignore(&owned.listed, "its account does not exist");
            return Ok(());
        }
        if let Some(known) = known
            && known.account != new.account
        {
            self.catalog.remove_instance(&known.id, now).await?;
        }
        match self.catalog.put_container(new, now).await? {
            PutContainer::Added => {
                tracing::info!(instance_id = owned.id, container = container.name, "container found");
            }
            PutContainer::Kept => {}
            PutContainer::Taken => self.ignore(&owned.listed, "its instance ID is in use"),
        }
        Ok(())
    }

    /// Resumes a container that was paused for an image, and forgets it.
    pub(crate) async fn resume(
        &self,
        engine: &Engine,
        engine_id: &str,
        instance_id: &str,
    ) -> Result<(), SyncError> {
        match engine.unpause(engine_id).await {
            // It is gone, or does not run, or somebody resumed it.
            Ok(()) | Err(EngineError::NotFound(_) | EngineError::Conflict(_)) => {}
            Err(EngineError::Failed(why)) => {
                if engine.container(engine_id).await?.state == State::Paused {
                    // Other containers are still watched; the next look at the engine tries again.
                    tracing::error!(instance_id, why, "cannot resume a container");
                    return Ok(());
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.catalog.set_paused_for(instance_id, "").await?)
    }
}

/// The location of the content of a container, as the catalogue keeps it.
pub(crate) fn content_of(engine_id: &str) -> String {
    to_json(&BTreeMap::from([("container", engine_id)]))
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers serialise")
}
