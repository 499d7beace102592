use serde::{Deserialize, Serialize};

use crate::bounded::{Ignored, ImageId, InstanceId, PasswordText};
use crate::login::{LoginMode, SshPublicKeys};
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
    /// Whether it has a password; it has one if absent.
    pub login_mode: Option<LoginMode>,
    /// Extension: the SSH keys of root. As before if absent.
    #[serde(default)]
    pub ssh_public_keys: SshPublicKeys,
    /// Nothing costs anything.
    #[serde(default, skip_serializing)]
    pub coupon_id: Ignored,
}
