use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, Integer, Word, or_default};
use crate::machine::{ChargeType, CpuCount, DiskSpecs, GpuCount, MemoryMb};
use crate::place::Place;

pub use crate::price_detail::PriceDetails as GetCompShareInstanceUserPriceResponse;

/// Asks what an instance would cost this account: the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareInstanceUserPriceRequest {
    /// Where.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Such as `4090`.
    pub gpu_type: Word,
    /// GPUs; 1 if absent.
    #[serde(rename = "GPU", alias = "Gpu")]
    pub gpu: Option<GpuCount>,
    /// Cores.
    #[serde(rename = "CPU", alias = "Cpu")]
    pub cpu: Option<CpuCount>,
    /// MB.
    pub memory: Option<MemoryMb>,
    /// How it is charged; every way if absent.
    pub charge_type: Option<ChargeType>,
    /// Disks cost nothing.
    #[serde(default, deserialize_with = "or_default")]
    pub disks: DiskSpecs,
    /// Images cost nothing.
    #[serde(default, skip_serializing)]
    pub comp_share_image_id: Ignored,
    /// For how many months, days or hours; 1 if absent.
    pub quantity: Option<Integer<0, 1000>>,
}
