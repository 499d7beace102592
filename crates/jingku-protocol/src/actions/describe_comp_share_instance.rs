use serde::{Deserialize, Serialize};

use crate::actions::GraphicsMemory;
use crate::bounded::InstanceId;
use crate::list::List;
use crate::paging::Paging;
use crate::place::Place;

/// The most ids in one call: more would not fit on a page.
pub const MAX_INSTANCE_IDS: usize = 100;

/// Lists the account's instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareInstanceRequest {
    /// Narrows the list to instances there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Only these; empty for all.
    #[serde(default, rename = "UHostIds")]
    pub instance_ids: List<InstanceId, MAX_INSTANCE_IDS>,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareInstanceResponse {
    /// Instances that match, on all pages.
    pub total_count: i64,
    /// The instances of this page.
    #[serde(rename = "UHostSet")]
    pub instances: Vec<Instance>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

/// An instance, with the members that the image API needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Instance {
    /// The instance's id.
    #[serde(rename = "UHostId")]
    pub id: String,
    /// Not in the documented model, and required by the official CLI.
    pub region: String,
    /// The zone it is in.
    pub zone: String,
    /// Its name.
    pub name: String,
    /// `Running`, `Stopped`, or what is being done to it: `Initializing`, `Starting`, `Stopping`, `Rebooting`, `Resizing`
    /// or `ImageMaking`. `Install Fail` if it could not be created.
    pub state: String,
    /// `UHost` for a virtual machine, `Container` for a container.
    pub instance_type: String,
    /// The image it was started from; empty when unknown.
    pub comp_share_image_id: String,
    /// Likewise.
    pub comp_share_image_name: String,
    /// Likewise.
    pub comp_share_image_type: String,
    /// `Available` while the account can see the image.
    pub comp_share_image_status: String,
    /// Empty, as the next three.
    pub comp_share_image_owner_alias: String,
    /// Likewise.
    pub comp_share_image_author: String,
    /// Likewise.
    pub comp_share_image_version_name: String,
    /// Likewise: nothing is charged.
    pub comp_share_image_bill_id: String,
    /// GPU model; empty without one.
    pub gpu_type: String,
    /// Number of GPUs.
    #[serde(rename = "GPU")]
    pub gpu: i64,
    /// Number of CPU cores; 0 when unknown.
    #[serde(rename = "CPU")]
    pub cpu: i64,
    /// MB; 0 when unknown.
    pub memory: i64,
    /// How it is charged; `Free` if the API did not create the instance.
    pub charge_type: String,
    /// Unix seconds.
    pub create_time: i64,
    /// Unix seconds; 0 for never.
    pub expire_time: i64,
    /// Its disks, boot disk first.
    pub disk_set: Vec<InstanceDisk>,
    /// Its addresses; empty for a virtual machine.
    #[serde(rename = "IPSet")]
    pub addresses: Vec<InstanceAddress>,
    /// When a container was last started, in Unix seconds; 0 for a virtual machine.
    pub start_time: i64,
    /// When a container last stopped, in Unix seconds; 0 while it runs.
    pub stop_time: i64,
    /// When the state last changed, in Unix seconds; 0 when unknown.
    pub update_time: i64,
    /// Unix seconds; 0 for never.
    pub release_time: i64,
    /// How to sign in to a container that publishes port 22 or 23; else empty.
    pub ssh_login_command: String,
    /// The ports that a container publishes.
    pub ports: InstancePorts,
    /// The address at which the ports are published; empty without one.
    pub ingress_host: String,
    /// The password of root as Base64; empty if the API did not create the instance.
    pub password: String,
    /// Empty: there is no file browser.
    pub file_browser_password: String,
    /// The owner's remark.
    pub remark: String,
    /// Empty.
    pub tag: String,
    /// `G`.
    pub machine_type: String,
    /// Memory of a GPU; null when unknown.
    pub graphics_memory: Option<GraphicsMemory>,
    /// Such as `Amd/Auto`.
    pub cpu_platform: String,
    /// Such as `x86_64`.
    pub cpu_arch: String,
    /// `Linux`.
    pub os_type: String,
    /// Empty: not known without reading the disk.
    pub os_name: String,
    /// `No`.
    pub auto_renew: String,
    /// `No`.
    pub is_expire: String,
    /// CNY per hour, as configured. Text breaks the Go SDK.
    pub instance_price: f64,
    /// Likewise; 0.
    pub comp_share_image_price: f64,
    /// When it is to be stopped, in Unix seconds; 0 for never. The official CLI reads this member.
    pub scheduler_stop_time: i64,
    /// The same under the name that the SDKs read.
    pub stop_scheduler_time: i64,
    /// Programs with a web page, while it runs.
    pub softwares: Vec<InstanceSoftware>,
    /// 0: there are no discounts.
    pub discount_type: i64,
    /// Empty: disks cost nothing.
    pub disk_price_info: Vec<DiskPrice>,
    /// Likewise, while it is stopped.
    pub post_pay_power_off_billing_resource: Vec<DiskPrice>,
    /// Null: `GetCompShareInstanceMonitor` measures. A list breaks the Go and Python SDKs.
    pub monitor_messages: Option<MonitorMessages>,
    /// GB of data disks; 0.
    pub total_disk_space: i64,
    /// Empty: there are no data disks.
    pub volume_set: Vec<InstanceDisk>,
    /// Likewise.
    #[serde(rename = "UDiskSet")]
    pub udisk_set: Vec<InstanceDisk>,
    /// Whether it can be started without its GPUs. Text breaks the Python SDK.
    pub support_without_gpu_start: bool,
    /// What such a start gives; null where it is not possible. Text breaks the Go and Python SDKs.
    pub without_gpu_spec: Option<SizeSpec>,
    /// Its size with GPUs, while it is started without.
    pub src_instance_config: Option<SizeSpec>,
    /// Extension: why the last operation on the instance failed; empty if it did not.
    pub failed_reason: String,
    /// Extension: how many seconds ago the engine was last seen with a container; 0 for a virtual machine.
    pub state_age: i64,
}

/// The ports that a container publishes, as ports of the container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct InstancePorts {
    /// TCP ports with HTTP on them. An engine does not tell them from others: empty if the API did not create the instance.
    pub http_ports: Vec<u16>,
    /// TCP ports.
    pub tcp_ports: Vec<u16>,
    /// UDP ports.
    pub udp_ports: Vec<u16>,
}

/// A network address of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct InstanceAddress {
    /// The address.
    #[serde(rename = "IP")]
    pub ip: String,
    /// `IPv4` or `IPv6`.
    #[serde(rename = "IPMode")]
    pub ip_mode: String,
    /// `Private`, or `Bgp` for the address of the host.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Empty, as all that follow: an engine's network has no such resources.
    #[serde(rename = "IPId")]
    pub ip_id: String,
    /// 0: not limited.
    pub bandwidth: i64,
    /// Empty.
    pub default: String,
    /// Likewise.
    pub mac: String,
    /// 0.
    pub weight: i64,
    /// Empty.
    #[serde(rename = "VPCId")]
    pub vpc_id: String,
    /// Likewise.
    pub subnet_id: String,
    /// Likewise.
    pub network_interface_id: String,
}

/// What a disk costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DiskPrice {
    /// How it is charged.
    pub charge_type: String,
    /// CNY.
    pub price: f64,
    /// Whether it is the boot disk.
    pub is_boot: bool,
}

/// How busy an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MonitorMessages {
    /// Percent.
    pub cpu_usage_rate: String,
    /// Percent.
    pub mem_usage_rate: String,
}

/// A program of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct InstanceSoftware {
    /// Such as `JupyterLab`.
    pub name: String,
    /// Without a token.
    #[serde(rename = "URL")]
    pub url: String,
}

/// A size of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct SizeSpec {
    /// The name of a tier, such as `A`; empty for a size with GPUs.
    pub spec: String,
    /// Cores.
    pub cpu: i64,
    /// MB.
    pub memory: i64,
    /// GPUs.
    pub gpu: i64,
    /// The type of the GPUs; empty without them.
    pub gpu_type: String,
}

/// A disk of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct InstanceDisk {
    /// The disk's id.
    pub disk_id: String,
    /// Kind of disk.
    pub disk_type: String,
    /// `True` or `False`, as text.
    pub is_boot: String,
    /// GB, rounded up.
    pub size: i64,
    /// `Boot`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// `false`, as text.
    pub encrypted: String,
    /// Empty.
    pub name: String,
    /// Likewise.
    pub drive: String,
}
