//! What the catalogue keeps about a container.

use std::collections::BTreeMap;

use jingku_catalog::Instance;
use jingku_engine::{Container, State};
use serde::{Deserialize, Serialize};

use crate::error::Internal;
use crate::pods::shown_state;

/// What an engine said about a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFacts {
    /// The engine's id of it.
    pub engine_id: String,
    /// Its state.
    pub state: ContainerState,
    /// The image it was started from, in the engine's words.
    pub image: String,
    /// When it was last started, in Unix seconds; 0 for never.
    pub started_at: i64,
    /// When it last ended, in Unix seconds; 0 for never.
    pub stopped_at: i64,
    /// Whole cores it may use; 0 without a limit.
    pub cpu: i64,
    /// MB of memory it may use; 0 without a limit.
    pub memory_mb: i64,
    /// GPUs it may use.
    pub gpus: i64,
    /// Which these are, as the engine names them; `all` for all.
    #[serde(default)]
    pub gpu_devices: Vec<String>,
    /// Ports of the container, such as `22/tcp`, and where the machine publishes each: address and port.
    pub published: BTreeMap<String, (String, u16)>,
    /// Its address in the engine's network; empty without one.
    pub address: String,
}

/// The state of a container, as instances show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerState {
    /// It runs, perhaps paused.
    Running,
    /// It does not run.
    #[default]
    Stopped,
    /// It is being started again.
    Starting,
    /// It is being removed.
    Stopping,
}

impl ContainerState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            Self::Starting => "Starting",
            Self::Stopping => "Stopping",
        }
    }
}

impl ContainerFacts {
    /// What the engine said about the container of an instance; `None` for a virtual machine.
    pub fn of(instance: &Instance) -> Result<Option<Self>, Internal> {
        instance.container.as_deref().map(|text| Self::parse(&instance.id, text)).transpose()
    }

    /// The same for an instance that is known to be a container.
    pub(crate) fn parse(instance_id: &str, text: &str) -> Result<Self, Internal> {
        serde_json::from_str(text)
            .map_err(|error| Internal::BadRow(format!("container of {instance_id}: {error}")))
    }

    /// The form that the catalogue keeps.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers serialise")
    }

    /// The state of an instance as the API shows it.
    pub fn state_of(instance: &Instance, container: Option<&Self>) -> &'static str {
        if let Some(pod) = &instance.pod {
            return shown_state(instance, pod);
        }
        match container {
            _ if instance.image_in_making.is_some() => "ImageMaking",
            Some(facts) => facts.state.as_str(),
            None => "Stopped",
        }
    }
}

impl From<&Container> for ContainerFacts {
    fn from(container: &Container) -> Self {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let limits = &container.limits;
        Self {
            engine_id: container.id.clone(),
            state: match container.state {
                State::Running | State::Paused => ContainerState::Running,
                State::Restarting => ContainerState::Starting,
                State::Removing => ContainerState::Stopping,
                State::Created | State::Stopped => ContainerState::Stopped,
            },
            image: container.image.clone(),
            started_at: container.started_at,
            stopped_at: container.finished_at,
            cpu: whole(limits.cpu_milli.div_ceil(1000)),
            memory_mb: whole(limits.memory_bytes >> 20),
            gpu_devices: if limits.all_gpus { vec!["all".to_owned()] } else { limits.gpus.clone() },
            gpus: if limits.all_gpus { gpus_of_machine() } else { whole(limits.gpus.len() as u64) },
            published: container.published.clone(),
            address: container.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// How many GPUs the NVIDIA driver of this machine shows.
fn gpus_of_machine() -> i64 {
    let devices = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().count();
    i64::try_from(devices).unwrap_or(0)
}
