use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, Word};
use crate::machine::{CpuCount, DiskGb, GpuCount, MemoryMb};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as ResizeCompShareInstanceResponse;

/// Changes the size of a stopped instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ResizeCompShareInstanceRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// Cores; as many as now if absent.
    #[serde(rename = "Cpu", alias = "CPU")]
    pub cpu: Option<CpuCount>,
    /// MB; as many as now if absent.
    pub memory: Option<MemoryMb>,
    /// GPUs: as many as now.
    #[serde(rename = "Gpu", alias = "GPU")]
    pub gpu: Option<GpuCount>,
    /// A disk to make larger, which no instance of this server has.
    pub disk_id: Option<Word>,
    /// GB.
    pub disk_space: Option<DiskGb>,
}
