//! The section `[containers]`: containers as instances.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::host::HostSettings;

/// Default ports for instances: above usual services, below those that Linux gives to outgoing connections.
const PUBLISH_PORTS: [u16; 2] = [20_000, 29_999];
/// Default maximum of instances that an account creates.
const INSTANCES_MAX: u16 = 20;

/// Which containers are instances, and how images are made from them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerSettings {
    /// The address of the engine, such as `unix:///run/podman/podman.sock`; `none` for no engine. If absent, the usual
    /// sockets are tried.
    pub engine: Option<String>,
    /// Whether containers are paused while an image is made from them, unless the request says otherwise.
    pub pause: bool,
    /// Patterns of files to leave out of every image, with the syntax of `.gitignore`.
    pub ignore: Vec<String>,
    /// The GPU model of containers that have a GPU and no label `jingku.gpu_type`.
    pub gpu_type: String,
    /// Whether accounts may create instances from images, start, stop and delete them.
    pub create: bool,
    /// The address of this machine on which the ports of such instances are published.
    pub publish: IpAddr,
    /// The first and the last port of this machine that they get.
    pub publish_ports: [u16; 2],
    /// The most such instances of one account.
    pub instances_max: u16,
    /// What this machine offers to instances.
    pub host: HostSettings,
    /// Containers that are instances without having labels.
    pub instances: Vec<NamedContainer>,
}

impl Default for ContainerSettings {
    fn default() -> Self {
        Self {
            engine: None,
            pause: false,
            ignore: Vec::new(),
            gpu_type: String::new(),
            create: false,
            publish: Ipv4Addr::LOCALHOST.into(),
            publish_ports: PUBLISH_PORTS,
            instances_max: INSTANCES_MAX,
            host: HostSettings::default(),
            instances: Vec::new(),
        }
    }
}

/// A container in the configuration file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamedContainer {
    /// The name of the container in the engine.
    pub container: String,
    /// The id of the instance; `cpod-` and the name if absent.
    pub id: Option<String>,
    /// Its account; account 1 if absent.
    #[serde(default = "first_account")]
    pub account: i64,
}

impl ContainerSettings {
    /// The address of the engine, if there is to be one.
    pub(crate) fn engine_url(&self) -> Option<&str> {
        self.engine.as_deref().filter(|url| *url != "none")
    }
}

fn first_account() -> i64 {
    1
}
