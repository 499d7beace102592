use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, PasswordText};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as ResetCompShareInstancePasswordResponse;
/// Changes the password of root in a running instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ResetCompShareInstancePasswordRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// The password as Base64.
    pub password: PasswordText,
}
