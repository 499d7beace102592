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
}

/// The image, which is `Making` from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCompShareCustomImageResponse {
    /// The new image's id.
    pub comp_share_image_id: String,
    /// Extension: warnings about the instance's disk, which was accepted.
    pub warnings: Vec<String>,
}
