//! The section `[containers.host]`: what this machine offers to instances.

use jingku_protocol::actions::Price;
use serde::{Deserialize, Serialize, Serializer};

use super::byte_size::ByteSize;

/// What instances can use, and at what price. The default is the whole machine, for nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostSettings {
    /// The most cores of one instance; all of the machine if absent.
    pub cpus: Option<u16>,
    /// The most memory of one instance; all of the machine if absent.
    pub memory: Option<ByteSize>,
    /// The price of one GPU, or of an instance without GPUs, in CNY per hour.
    #[serde(serialize_with = "number")]
    pub price: Price,
    /// The GPUs; those of the CDI specs of the machine if empty.
    pub gpus: Vec<GpuSettings>,
}

/// GPUs of one model.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    #[serde(serialize_with = "optional_number")]
    pub price: Option<Price>,
}

/// A price as the configuration file has it. The API has it as text.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn number<S: Serializer>(price: &Price, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(price.0)
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn optional_number<S: Serializer>(price: &Option<Price>, serializer: S) -> Result<S::Ok, S::Error> {
    price.map(|price| price.0).serialize(serializer)
}
