use serde::{Deserialize, Serialize};

use crate::bounded::{Description, ImageName, InstanceId};
use crate::image::{SoftwarePort, Softwares};
use crate::list::List;
use crate::place::Place;
use crate::softwares;

/// Starts making an image of an instance.
///
/// After a network error the image may exist: look for its name, which is unique in the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CreateCompShareCustomImageRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// The image's name, unique in the account; see [`is_image_name`](crate::actions::is_image_name).
    pub name: ImageName,
    /// Free text.
    pub description: Option<Description>,
    /// What is installed.
    #[serde(default, with = "crate::softwares")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::softwares::SoftwaresParam>"))]
    pub softwares: Option<Softwares>,
    /// Ports that the software inside listens on.
    #[serde(default, deserialize_with = "softwares::deserialize_ports")]
    pub software_ports: Vec<SoftwarePort>,
    /// Ports to open.
    #[serde(default)]
    pub firewall_ports: List<u16>,
    /// Extension: whether a container is paused while its files are read; the server's setting when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<bool>,
    /// Extension: whether files of a container that look like secrets are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_secrets: Option<bool>,
    /// Extension: whether the image is only estimated. Nothing is saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<bool>,
}

/// The image, which is `Making` from now on, or its estimate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCompShareCustomImageResponse {
    /// The new image's id; absent with an estimate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comp_share_image_id: String,
    /// Extension: warnings about the instance's disk, which was accepted.
    pub warnings: Vec<String>,
    /// Extension: the estimate, if the call asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<ImageEstimate>,
}

/// Extension: what making an image would read and store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageEstimate {
    /// Bytes to read: data of a disk, or files of a container.
    pub size_bytes: u64,
    /// Bytes that were read and compared. The rest is inferred; at 0, all bytes count as new.
    pub sampled_bytes: u64,
    /// Bytes that no image of the account has, before compression.
    pub new_bytes: u64,
    /// Seconds that making the image would take.
    pub seconds: u64,
    /// Whether the image fits into the free space and the account's limits. If not, the warnings say why.
    pub fits: bool,
}
