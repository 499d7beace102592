use serde::{Deserialize, Serialize};

use crate::bounded::{Description, Ignored, ImageId, InstanceName, Integer, PasswordText, Word, or_default};
use crate::login::{LoginMode, SshPublicKeys};
use crate::machine::{ChargeType, CpuCount, DiskSpecs, GpuCount, MemoryMb};
use crate::place::Place;

/// The most instances that one call creates. Ours.
pub const MAX_NEW_INSTANCES: i64 = 10;

/// Creates instances from an image of a container, and starts them.
///
/// A repeated call creates further instances: no parameter identifies a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CreateCompShareInstanceRequest {
    /// Where; the default zone if absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// A type of the host.
    pub gpu_type: Word,
    /// GPUs; 1 if absent. The official CLI spells it `GPU`, and `Gpu` in other actions.
    #[serde(rename = "GPU", alias = "Gpu")]
    pub gpu: Option<GpuCount>,
    /// Cores; chosen by the server if absent.
    #[serde(rename = "CPU", alias = "Cpu")]
    pub cpu: Option<CpuCount>,
    /// MB, a multiple of 1024; chosen by the server if absent.
    pub memory: Option<MemoryMb>,
    /// The image.
    pub comp_share_image_id: ImageId,
    /// One boot disk, which the container's files do not fill: an engine has no disks.
    #[serde(default, deserialize_with = "or_default")]
    pub disks: DiskSpecs,
    /// How it is charged; nothing costs anything.
    pub charge_type: Option<ChargeType>,
    /// For how many months, days or hours.
    pub quantity: Option<Integer<0, 1000>>,
    /// How many instances; 1 if absent. Not in the models of the SDKs.
    pub max_count: Option<Integer<1, MAX_NEW_INSTANCES>>,
    /// The name; `host` if absent. Need not be unique.
    pub name: Option<InstanceName>,
    /// Free text.
    pub remark: Option<Description>,
    /// The password of root as Base64; generated if absent.
    pub password: Option<PasswordText>,
    /// Whether it has a password; it has one if absent.
    pub login_mode: Option<LoginMode>,
    /// Extension: the SSH keys of root.
    #[serde(default)]
    pub ssh_public_keys: SshPublicKeys,
    /// Kinds of machines that a host does not have.
    #[serde(default, skip_serializing)]
    pub machine_type: Ignored,
    /// Likewise.
    #[serde(default, skip_serializing)]
    pub minimal_cpu_platform: Ignored,
    /// Likewise.
    #[serde(default, skip_serializing)]
    pub security_group_id: Ignored,
    /// Likewise.
    #[serde(default, rename = "EnableUS3", skip_serializing)]
    pub enable_us3: Ignored,
    /// Likewise.
    #[serde(default, skip_serializing)]
    pub enable_cfs: Ignored,
}

/// The instances, which are `Initializing` from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCompShareInstanceResponse {
    /// The ids.
    #[serde(rename = "UHostIds")]
    pub instance_ids: Vec<String>,
    /// The address of the host, once for each.
    #[serde(rename = "IPs")]
    pub ips: Vec<String>,
    /// Always empty. In newer documents only.
    pub warning: Vec<String>,
}
