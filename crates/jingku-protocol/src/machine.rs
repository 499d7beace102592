//! Parameters that several actions on instances have: sizes, disks, ways of charging.

use serde::{Deserialize, Serialize};

use crate::bounded::{Integer, Word};
use crate::list::List;

/// The most disks of one instance. Ours.
const MAX_DISKS: usize = 32;

/// A number of GPUs. The documents spell the parameter `Gpu` in some actions and `GPU` in others; all read both.
pub type GpuCount = Integer<0, 1024>;
/// A number of cores, spelled `Cpu` or `CPU`.
pub type CpuCount = Integer<0, 65536>;
/// An amount of memory in MB.
pub type MemoryMb = Integer<0, { 1 << 30 }>;
/// A size of a disk in GB.
pub type DiskGb = Integer<0, { 1 << 20 }>;
/// The disks of an instance.
pub type DiskSpecs = List<DiskSpec, MAX_DISKS>;

/// A disk that an instance is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DiskSpec {
    /// Whether it starts from it.
    pub is_boot: Option<bool>,
    /// Such as `CLOUD_SSD`.
    #[serde(rename = "Type")]
    pub kind: Option<Word>,
    /// GB.
    pub size: Option<DiskGb>,
}

/// How an instance is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChargeType {
    /// By the month. The default of the documents.
    #[default]
    Month,
    /// By the day.
    Day,
    /// By the hour, in advance.
    Dynamic,
    /// By the hour, afterwards.
    Postpay,
    /// By the hour, at a lower price; the cloud may take the instance back.
    Spot,
    /// By the year. In the documents of the SDKs only.
    Year,
}

impl ChargeType {
    /// Every way of charging that newer documents have.
    pub const ALL: [Self; 5] = [Self::Month, Self::Day, Self::Dynamic, Self::Postpay, Self::Spot];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "Month",
            Self::Day => "Day",
            Self::Dynamic => "Dynamic",
            Self::Postpay => "Postpay",
            Self::Spot => "Spot",
            Self::Year => "Year",
        }
    }

    /// The hours that are paid at once.
    pub const fn hours(self) -> u16 {
        match self {
            Self::Dynamic | Self::Postpay | Self::Spot => 1,
            Self::Day => 24,
            Self::Month => 30 * 24,
            Self::Year => 365 * 24,
        }
    }
}
