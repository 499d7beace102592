use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, ImageId, InstanceId, PasswordText};
use crate::place::Place;

pub use crate::instance_done::InstanceDone as ReinstallCompShareInstanceResponse;
/// Replaces the files of a stopped instance by those of an image, and starts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ReinstallCompShareInstanceRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// The image.
    pub comp_share_image_id: ImageId,
    /// The password of root as Base64; as before if absent.
    pub password: Option<PasswordText>,
    /// Only `Password` exists.
    #[serde(default, skip_serializing)]
    pub login_mode: Ignored,
    /// Nothing costs anything.
    #[serde(default, skip_serializing)]
    pub coupon_id: Ignored,
}
