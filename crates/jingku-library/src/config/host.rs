//! The section `[containers.host]`: what this machine offers to instances.

use jingku_protocol::actions::Price;
use serde::Deserialize;

use super::byte_size::ByteSize;

/// What instances can use, and at what price. The default is the whole machine, for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostSettings {
    /// The most cores of one instance; all of the machine if absent.
    pub cpus: Option<u16>,
    /// The most memory of one instance; all of the machine if absent.
    pub memory: Option<ByteSize>,
    /// The price of one GPU, or of an instance without GPUs, in CNY per hour.
    pub price: Price,
    /// The GPUs; those of the CDI specs of the machine if empty.
    pub gpus: Vec<GpuSettings>,
}

/// GPUs of one model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuSettings {
    /// Their model, such as `4090`.
    #[serde(rename = "type")]
    pub gpu_type: String,
    /// Their CDI names, such as `nvidia.com/gpu=0`.
    pub devices: Vec<String>,
    /// The memory of each, in GB; 0 for unknown.
    #[serde(default)]
    pub memory_gb: u16,
    /// The price of each in CNY per hour; `price` of the section if absent.
    pub price: Option<Price>,
}
