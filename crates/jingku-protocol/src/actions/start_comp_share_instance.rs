use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, Word};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as StartCompShareInstanceResponse;
/// Starts a stopped instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct StartCompShareInstanceRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// `A` or `B`: with fewer cores and less memory, without GPUs. In no document; the official CLI sends it.
    pub without_gpu_spec: Option<Word>,
    /// `true` means `A`. The cloud ignores other texts.
    pub without_gpu: Option<Word>,
}
