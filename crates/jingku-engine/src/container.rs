//! What an engine says about a container.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, DriverData, HostConfig,
};

/// The state of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was never started.
    Created,
    /// Its processes run.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It starts again after it ended.
    Restarting,
    /// It is being removed.
    Removing,
    /// It ended, or could not be started.
    Stopped,
}

/// A container in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The engine's id of it.
    pub id: String,
    /// Its names.
    pub names: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its state in the engine's words, to see whether it changed.
    pub status: String,
}

impl From<ContainerSummary> for Listed {
    fn from(summary: ContainerSummary) -> Self {
        let names = summary.names.unwrap_or_default().into_iter();
        Self {
            id: summary.id.unwrap_or_default(),
            names: names.map(|name| name.trim_start_matches('/').to_owned()).collect(),
            labels: summary.labels.unwrap_or_default().into_iter().collect(),
            status: summary.state.map(|state| state.to_string()).unwrap_or_default(),
        }
    }
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    /// The engine's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// The image it was started from, as it was named.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When it was last started, in Unix seconds; 0 for never.
    pub started_at: i64,
    /// When it last ended, in Unix seconds; 0 for never.
    pub finished_at: i64,
    /// How often the engine started it again by itself.
    pub restarts: i64,
    /// The exit code of its last run.
    pub exit_code: i64,
    /// The bytes of its files, if the engine was asked to count them.
    pub size_bytes: Option<u64>,
    /// What is mounted into it: paths in the container.
    pub mounts: Vec<String>,
    /// Its limits and devices.
    pub limits: Limits,
    /// Ports of the container, such as `8888/tcp`, and the address and port of the machine each is published on.
    pub published: BTreeMap<String, (String, u16)>,
    /// Its address in the engine's network.
    pub address: Option<IpAddr>,
    /// How its program is run, as the configuration of an image spells it.
    pub config: serde_json::Value,
    /// Where its files are on the machine of the engine; `None` if it does not run, or if its storage is no overlay.
    pub root: Option<RootPlace>,
}

/// The root directory of a running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootPlace {
    /// Where the engine mounted it.
    pub directory: PathBuf,
    /// The container's first process, whose root it is.
    pub process: u32,
}

/// What a container may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Thousandths of a core; 0 without a limit.
    pub cpu_milli: u64,
    /// Bytes of memory; 0 without a limit.
    pub memory_bytes: u64,
    /// GPUs by their CDI name or index; empty without a GPU.
    pub gpus: Vec<String>,
    /// Whether it may use all GPUs of the machine.
    pub all_gpus: bool,
}

impl From<ContainerInspectResponse> for Container {
    fn from(inspected: ContainerInspectResponse) -> Self {
        let state = inspected.state.unwrap_or_default();
        let config = inspected.config.unwrap_or_default();
        let networks = inspected.network_settings.unwrap_or_default();
        let published = networks.ports.unwrap_or_default().into_iter().filter_map(|(port, bindings)| {
            let binding = bindings?.into_iter().next()?;
            let host_port = binding.host_port?.parse().ok()?;
            Some((port, (binding.host_ip.unwrap_or_default(), host_port)))
        });
        let mut addresses = networks.networks.unwrap_or_default().into_values();
        let mounts = inspected.mounts.unwrap_or_default().into_iter().filter_map(|mount| mount.destination);
        let host = inspected.host_config.unwrap_or_default();
        let tmpfs = host.tmpfs.clone().unwrap_or_default().into_keys();
        Self {
            id: inspected.id.unwrap_or_default(),
            name: inspected.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            image: config.image.clone().unwrap_or_default(),
            labels: config.labels.clone().unwrap_or_default().into_iter().collect(),
            created_at: inspected.created.as_deref().map_or(0, seconds),
            started_at: state.started_at.as_deref().map_or(0, seconds),
            finished_at: state.finished_at.as_deref().map_or(0, seconds),
            restarts: inspected.restart_count.unwrap_or(0),
            exit_code: state.exit_code.unwrap_or(0),
            root: root_place(inspected.graph_driver, state.pid),
            state: state.status.map_or(State::Stopped, State::from),
            size_bytes: inspected.size_root_fs.and_then(|bytes| u64::try_from(bytes).ok()),
            mounts: mounts.chain(tmpfs).collect(),
            limits: limits(host, config.env.as_deref().unwrap_or_default()),
            published: published.collect(),
            address: addresses.find_map(|network| network.ip_address?.parse().ok()),
            config: serde_json::to_value(config).unwrap_or_default(),
        }
    }
}

impl From<ContainerStateStatusEnum> for State {
    fn from(status: ContainerStateStatusEnum) -> Self {
        match status {
            ContainerStateStatusEnum::CREATED => Self::Created,
            ContainerStateStatusEnum::RUNNING => Self::Running,
            ContainerStateStatusEnum::PAUSED => Self::Paused,
            ContainerStateStatusEnum::RESTARTING => Self::Restarting,
            ContainerStateStatusEnum::REMOVING => Self::Removing,
            ContainerStateStatusEnum::EMPTY
            | ContainerStateStatusEnum::EXITED
            | ContainerStateStatusEnum::DEAD
            | ContainerStateStatusEnum::STOPPING => Self::Stopped,
        }
    }
}

fn root_place(driver: Option<DriverData>, process: Option<i64>) -> Option<RootPlace> {
    let mut driver = driver.filter(|driver| matches!(&*driver.name, "overlay" | "overlay2"))?;
    let process = process.and_then(|process| u32::try_from(process).ok()).filter(|process| *process > 0)?;
    Some(RootPlace { directory: driver.data.remove("MergedDir")?.into(), process })
}

fn limits(host: HostConfig, env: &[String]) -> Limits {
    let positive = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let quota = positive(host.cpu_quota).saturating_mul(1000) / positive(host.cpu_period).max(1);
    let cpu_milli = match positive(host.nano_cpus) / 1_000_000 {
        0 => quota,
        milli => milli,
    };
    let mut gpus = Vec::new();
    let mut all_gpus = false;
    for request in host.device_requests.unwrap_or_default() {
        let ids = request.device_ids.unwrap_or_default();
        all_gpus |= request.count == Some(-1) && ids.is_empty();
        gpus.extend(ids);
    }
    let devices = host.devices.unwrap_or_default().into_iter().filter_map(|device| device.path_on_host);
    // `nvidia.com/gpu=0` names a GPU; /dev/nvidia0 is one; /dev/nvidiactl and others are not.
    gpus.extend(devices.filter_map(|device| match device.strip_prefix("/dev/nvidia") {
        Some(index) => index.parse::<u16>().ok().map(|index| index.to_string()),
        None => device.contains("/gpu=").then_some(device),
    }));
    if let Some(visible) = env.iter().find_map(|pair| pair.strip_prefix("NVIDIA_VISIBLE_DEVICES="))
        && gpus.is_empty()
        && host.runtime.as_deref() == Some("nvidia")
    {
        all_gpus |= visible == "all";
        let named = visible.split(',').filter(|name| !matches!(*name, "" | "all" | "none" | "void"));
        gpus.extend(named.map(str::to_owned));
    }
    all_gpus |= gpus.iter().any(|gpu| gpu.ends_with("=all"));
    gpus.retain(|gpu| !gpu.ends_with("=all"));
    Limits { cpu_milli, memory_bytes: positive(host.memory), gpus, all_gpus }
}

/// Unix seconds; 0 for the year 1, which Go prints for "never".
fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second().max(0))
}

#[cfg(test)]
mod tests {
    use bollard::models::{DeviceMapping, DeviceRequest};

    use super::*;

    #[test]
    fn gpus_are_found_however_they_were_given() {
        let request = |count, ids: &[&str]| {
            let device_ids = Some(ids.iter().map(|id| (*id).to_owned()).collect());
            let request = DeviceRequest { count, device_ids, ..DeviceRequest::default() };
            HostConfig { device_requests: Some(vec![request]), ..HostConfig::default() }
        };
        assert_eq!(limits(request(None, &["0", "2"]), &[]).gpus, ["0", "2"]);
        assert!(limits(request(Some(-1), &[]), &[]).all_gpus);
        assert_eq!(limits(request(None, &["nvidia.com/gpu=1"]), &[]).gpus, ["nvidia.com/gpu=1"]);

        let device =
            |path: &str| DeviceMapping { path_on_host: Some(path.to_owned()), ..DeviceMapping::default() };
        let devices = Some(vec![device("/dev/nvidia1"), device("/dev/nvidiactl"), device("/dev/fuse")]);
        assert_eq!(limits(HostConfig { devices, ..HostConfig::default() }, &[]).gpus, ["1"]);

        let host = HostConfig { runtime: Some("nvidia".to_owned()), ..HostConfig::default() };
        assert!(limits(host, &["NVIDIA_VISIBLE_DEVICES=all".to_owned()]).all_gpus);
        assert_eq!(
            limits(HostConfig::default(), &["NVIDIA_VISIBLE_DEVICES=all".to_owned()]),
            Limits::default()
        );
    }

    #[test]
    fn cores_are_found_however_they_were_given() {
        let host = HostConfig { nano_cpus: Some(1_500_000_000), ..HostConfig::default() };
        assert_eq!(limits(host, &[]).cpu_milli, 1500);
        let host = HostConfig { cpu_quota: Some(50_000), cpu_period: Some(100_000), ..HostConfig::default() };
        assert_eq!(limits(host, &[]).cpu_milli, 500);
    }

    #[test]
    fn a_time_before_1970_is_never() {
        assert_eq!(seconds("0001-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2026-11-27T19:41:28.5+08:00"), 1_795_779_688);
    }
}
