use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, Integer};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as UpdateCompShareStopSchedulerResponse;

/// The latest time at which an instance can be stopped: the end of the year 9999.
const MAX_TIME: i64 = 253_402_300_799;

/// Has a running instance stopped at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCompShareStopSchedulerRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// Unix seconds, at least five minutes from now. The SDKs call it `StopTime`.
    #[serde(rename = "SchedulerStopTime", alias = "StopTime")]
    pub stop_time: Integer<0, MAX_TIME>,
}
