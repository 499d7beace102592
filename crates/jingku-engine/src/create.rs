//! Creates containers.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, DeviceRequest, HostConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use crate::engine::{CHANGE_TIMEOUT, Engine};
use crate::error::EngineError;

/// A container to create.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// Its name, unique in the engine.
    pub name: String,
    /// The image, as the engine knows it.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Ports of the container, such as `23/tcp`, and the address and port of the machine to publish each on.
    pub published: BTreeMap<String, (String, u16)>,
    /// Cores.
    pub cpus: i64,
    /// Bytes of memory.
    pub memory_bytes: i64,
    /// The CDI names of its GPUs, such as `nvidia.com/gpu=0`.
    pub gpus: Vec<String>,
}

/// How often Podman starts a container again that fails.
const RESTARTS_MAX: i64 = 5;
const NANOS: i64 = 1_000_000_000;

impl Engine {
    /// Creates a container that is started again after a crash and, by Docker, when the engine starts. Returns its id.
    ///
    /// Fails with [`EngineError::Conflict`] if the name is in use, and with [`EngineError::NotFound`] without the image.
    pub async fn create(&self, new: &NewContainer) -> Result<String, EngineError> {
        let binding = |(address, port): &(String, u16)| PortBinding {
            host_ip: Some(address.clone()),
            host_port: Some(port.to_string()),
        };
        let bindings = new.published.iter().map(|(port, at)| (port.clone(), Some(vec![binding(at)])));
        let request = DeviceRequest {
            driver: Some("cdi".to_owned()),
            device_ids: Some(new.gpus.clone()),
            ..DeviceRequest::default()
        };
        let restart = self.restart_policy().await?;
        let host = HostConfig {
            port_bindings: Some(bindings.collect::<HashMap<_, _>>()),
            nano_cpus: Some(new.cpus.saturating_mul(NANOS)),
            memory: Some(new.memory_bytes),
            // The default of engines, 64 MB, is too little for the data loaders of training frameworks.
            shm_size: Some(new.memory_bytes / 2),
            device_requests: (!new.gpus.is_empty()).then(|| vec![request]),
            restart_policy: Some(restart),
            ..HostConfig::default()
        };
        let body = ContainerCreateBody {
            image: Some(new.image.clone()),
            labels: Some(new.labels.clone().into_iter().collect()),
            exposed_ports: Some(new.published.keys().cloned().collect()),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&new.name).build();
        Ok(self.patient(CHANGE_TIMEOUT).create_container(Some(options), body).await?.id)
    }

    async fn restart_policy(&self) -> Result<RestartPolicy, EngineError> {
        let components = self.docker.version().await?.components.unwrap_or_default();
        let is_podman = components.iter().any(|component| component.name.contains("Podman"));
        Ok(if is_podman {
            // Podman restarts without a pause, and has no service that starts containers.
            let (name, count) = (RestartPolicyNameEnum::ON_FAILURE, Some(RESTARTS_MAX));
            RestartPolicy { name: Some(name), maximum_retry_count: count }
        } else {
            let name = Some(RestartPolicyNameEnum::UNLESS_STOPPED);
            RestartPolicy { name, ..RestartPolicy::default() }
        })
    }

    /// Changes how many cores and bytes of memory an existing container may use. Fails with [`EngineError::Unsupported`] on
    /// Podman 4, which does not have this call of Docker.
    pub async fn set_limits(&self, id: &str, cpus: i64, memory_bytes: i64) -> Result<(), EngineError> {
        let body = ContainerUpdateBody {
            nano_cpus: Some(cpus.saturating_mul(NANOS)),
            memory: Some(memory_bytes),
            // Docker refuses more memory than swap, whose limit is twice the former memory.
            memory_swap: Some(memory_bytes.saturating_mul(2)),
            ..ContainerUpdateBody::default()
        };
        match self.patient(CHANGE_TIMEOUT).update_container(id, body).await.map_err(EngineError::from) {
            // The text for an unknown path, not for an unknown container.
            Err(EngineError::NotFound(message)) if message.trim() == "Not Found" => {
                Err(EngineError::Unsupported)
            }
            updated => updated,
        }
    }
}
