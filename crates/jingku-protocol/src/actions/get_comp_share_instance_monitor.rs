use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, InstanceId, or_default};
use crate::list::List;
use crate::place::Place;

/// The most instances in one call: the engine measures each for a second. The official CLI sends at most ten.
pub const MAX_MONITORED: usize = 10;

/// Asks how busy instances are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareInstanceMonitorRequest {
    /// Where the instances are.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instances.
    #[serde(default, rename = "UHostIds", deserialize_with = "or_default")]
    pub instance_ids: List<InstanceId, MAX_MONITORED>,
    /// Only the present is measured.
    #[serde(default, skip_serializing)]
    pub start_time: Ignored,
    /// Likewise.
    #[serde(default, skip_serializing)]
    pub end_time: Ignored,
}

/// How busy instances are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareInstanceMonitorResponse {
    /// By kind of instance.
    pub data: MonitorData,
}

/// How busy instances are, by kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MonitorData {
    /// Virtual machines: not measured.
    pub list: Vec<MonitoredInstance>,
    /// Running containers.
    pub pod_list: Vec<MonitoredInstance>,
}

/// The metrics of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MonitoredInstance {
    /// The instance's id.
    pub pod_id: String,
    /// The same.
    #[serde(rename = "UHostId")]
    pub instance_id: String,
    /// One entry for each metric.
    pub metrics: Vec<Metric>,
}

/// A metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Metric {
    /// Such as `uhost_cpu_used`.
    pub metric_key: String,
    /// Empty.
    pub tags: Vec<String>,
    /// One entry.
    pub results: Vec<MetricResult>,
}

/// The values of a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MetricResult {
    /// The instance's id.
    pub resource_id: String,
    /// Absent: of the whole instance.
    pub tag_map: Option<()>,
    /// One entry.
    pub values: Vec<MetricValue>,
}

/// A value of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct MetricValue {
    /// Unix seconds.
    pub timestamp: i64,
    /// Percent.
    pub value: f64,
}
