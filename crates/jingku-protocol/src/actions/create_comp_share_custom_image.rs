use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::{SoftwarePort, Softwares};
use crate::params::Params;
use crate::tree::Tree;

/// The most characters in an image name.
pub const MAX_NAME_CHARS: usize = 50;

/// Tells whether `name` may name an image: 1 to [`MAX_NAME_CHARS`] characters out of U+4E00–U+9FA5, ASCII letters and
/// digits, and `_ , . : -`.
pub fn is_image_name(name: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "_,.:-".contains(c) || ('\u{4e00}'..='\u{9fa5}').contains(&c);
    (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && name.chars().all(allowed)
}

/// Starts making an image of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateCompShareCustomImageRequest {
    /// Where the instance is; taken from the instance when absent.
    pub place: Place,
    /// The instance.
    pub instance_id: String,
    /// The image's name, unique in the account; see [`is_image_name`].
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// What is installed.
    pub softwares: Option<Softwares>,
    /// Ports that the software inside listens on.
    pub software_ports: Vec<SoftwarePort>,
    /// Ports to open.
    pub firewall_ports: Vec<u16>,
}

/// The image, which is `Making` from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCompShareCustomImageResponse {
    /// The new image's id.
    pub comp_share_image_id: String,
    /// Extension: what is to be said about the instance's disk although it is accepted.
    pub warnings: Vec<String>,
}

impl Request for CreateCompShareCustomImageRequest {
    const ACTION: Action = Action::CreateCompShareCustomImage;
    type Response = CreateCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let instance_id = tree.required_id("UHostId")?;
        let name = tree.required_image_name("Name")?;
        Ok(Self {
            place: Place::bind(tree)?,
            instance_id,
            name,
            description: tree.description("Description")?,
            softwares: Softwares::bind(tree, "Softwares")?,
            software_ports: SoftwarePort::bind_list(tree, "SoftwarePorts")?,
            firewall_ports: ports(tree, "FirewallPorts")?,
        })
    }

    fn params(&self) -> Params {
        let mut params = self
            .place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("UHostId", Some(&self.instance_id))
            .text("Name", Some(&self.name))
            .text("Description", self.description.as_deref())
            .list("FirewallPorts", &self.firewall_ports);
        if let Some(softwares) = &self.softwares {
            params = softwares.add_to(params);
        }
        for (index, entry) in self.software_ports.iter().enumerate() {
            params = params
                .text(&format!("SoftwarePorts.{index}.Software"), Some(&entry.software))
                .number(&format!("SoftwarePorts.{index}.Port"), Some(entry.port));
        }
        params
    }
}

fn ports(tree: &Tree, name: &str) -> Result<Vec<u16>, ParamError> {
    let texts = tree.words(name, MAX_LIST_ITEMS)?.unwrap_or_default();
    texts.iter().map(|text| text.parse().map_err(|_| ParamError::not_available(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_documented_alphabet() {
        for good in ["a", "my-custom-env", "训练环境_v1.2:3,4", &"镜".repeat(50)] {
            assert!(is_image_name(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "naïve", "镜像。", "\u{9fa6}", "a\n", &"a".repeat(51)] {
            assert!(!is_image_name(bad), "{bad:?}");
        }
    }
}
