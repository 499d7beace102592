use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, InstanceId};
use crate::machine::{CpuCount, GpuCount, MemoryMb};
use crate::place::Place;

/// Asks what another size of an instance would cost more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareInstanceUpgradePriceRequest {
    /// Where the instance is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// GPUs; as many as now if absent.
    #[serde(rename = "GPU", alias = "Gpu")]
    pub gpu: Option<GpuCount>,
    /// Cores.
    #[serde(rename = "CPU", alias = "Cpu")]
    pub cpu: Option<CpuCount>,
    /// MB.
    pub memory: Option<MemoryMb>,
    /// Images cost nothing.
    #[serde(default, skip_serializing)]
    pub comp_share_image_id: Ignored,
}

/// What it would cost more, in CNY per hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareInstanceUpgradePriceResponse {
    /// To pay.
    pub price: f64,
    /// Before discounts.
    pub original_price: f64,
    /// On the price list.
    pub list_price: f64,
}
