use serde::{Deserialize, Serialize};

use crate::bounded::{Word, or_default};
use crate::list::List;
use crate::place::Place;

/// Lists the types and sizes of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeAvailableCompShareInstanceTypesRequest {
    /// Narrows the list to types there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Only these; empty for all.
    #[serde(default, deserialize_with = "or_default")]
    pub machine_types: List<Word>,
    /// `uhost` if absent.
    pub instance_type: Option<OfferKind>,
}

/// Whether the cloud may take an instance back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OfferKind {
    /// It may not.
    #[default]
    Uhost,
    /// It may.
    Spot,
}

/// The types of instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeAvailableCompShareInstanceTypesResponse {
    /// One entry for each type and zone.
    pub available_instance_types: Vec<AvailableInstanceType>,
    /// `Normal`.
    pub status: String,
}

/// A type of instances. Not its stock: `Status` says only whether it is sold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct AvailableInstanceType {
    /// The `GpuType` of other actions.
    pub name: String,
    /// The zone.
    pub zone: String,
    /// `uhost` or `spot`.
    pub instance_type: OfferKind,
    /// `Normal`.
    pub status: String,
    /// For people.
    pub description: String,
    /// `GPU`, or `Normal` without one.
    pub machine_class: String,
    /// Empty.
    pub parent_type: String,
    /// By maker.
    pub cpu_platforms: CpuPlatforms,
    /// The disks an instance can have.
    pub disks: Vec<OfferedDisk>,
    /// Its sizes.
    pub machine_sizes: Vec<MachineSize>,
    /// Memory of a GPU.
    pub graphics_memory: GraphicsMemory,
    /// Speed of a GPU.
    pub performance: Performance,
    /// Empty.
    pub features: Vec<String>,
}

/// Platforms of cores by maker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CpuPlatforms {
    /// Such as `Intel/Auto`.
    pub intel: Vec<String>,
    /// Such as `Amd/Auto`.
    pub amd: Vec<String>,
}

/// A kind of disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct OfferedDisk {
    /// Such as `normalLocalDisk`.
    pub name: String,
    /// Boot disks.
    pub boot_disk: Vec<OfferedBootDisk>,
    /// Data disks; none.
    pub data_disk: Vec<OfferedBootDisk>,
}

/// A boot disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct OfferedBootDisk {
    /// Such as `LOCAL_NORMAL`.
    pub name: String,
    /// GB.
    pub maximal_size: i64,
    /// Whether it can grow.
    pub instant_resize: bool,
    /// Empty.
    pub features: Vec<String>,
}

/// The sizes with so many GPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MachineSize {
    /// GPUs.
    pub gpu: i64,
    /// Cores and memory.
    pub collection: Vec<MachineCollection>,
}

/// The sizes with so many cores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MachineCollection {
    /// Cores.
    pub cpu: i64,
    /// GB.
    pub memory: Vec<i64>,
    /// Such as `Intel/Auto`.
    pub minimal_cpu_platform: Vec<String>,
}

/// Memory of a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GraphicsMemory {
    /// GB; 0 when unknown.
    pub value: i64,
    /// For charts; 0.
    pub rate: i64,
}

/// Speed of a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Performance {
    /// TFLOPS; 0 when unknown.
    pub value: f64,
    /// For charts; 0.
    pub rate: i64,
}
