//! A machine with GPUs.

use jingku_library::{ByteSize, Config, ContainerSettings, GpuSettings, HostSettings};

use super::Service;

/// Six cores, 8 GB, two 4090 at 1.88 CNY per hour and a P40 at 0.5.
fn two_models() -> Config {
    let gpus = |gpu_type: &str, devices: &[&str], price: Option<f64>| GpuSettings {
        gpu_type: gpu_type.to_owned(),
        devices: devices.iter().map(|device| (*device).to_owned()).collect(),
        memory_gb: 24,
        price: price.map(Into::into),
    };
    let host = HostSettings {
        cpus: Some(6),
        memory: Some(ByteSize(8 << 30)),
        price: 0.5.into(),
        gpus: vec![
            gpus("4090", &["nvidia.com/gpu=0", "nvidia.com/gpu=1"], Some(1.88)),
            gpus("P40", &["nvidia.com/gpu=2"], None),
        ],
    };
    Config { containers: ContainerSettings { host, ..ContainerSettings::default() }, ..Config::default() }
}

impl Service {
    /// Starts a server on a machine with GPUs: see [`two_models`].
    pub(crate) async fn with_gpus() -> Self {
        Self::with(two_models()).await
    }
}
