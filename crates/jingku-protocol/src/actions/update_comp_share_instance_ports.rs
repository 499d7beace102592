use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, Integer, clearable};
use crate::list::List;
use crate::place::Place;

pub use crate::instance_done::InstanceDone as UpdateCompShareInstancePortsResponse;

/// The most ports of a kind, as on CompShare.
pub const MAX_PORTS: usize = 10;

/// Ports of an instance.
pub type Ports = List<Integer<1, 65535>, MAX_PORTS>;

/// Changes the ports of an instance. A list that is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCompShareInstancePortsRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// Ports with HTTP; 8888 is always one.
    #[serde(default, deserialize_with = "clearable")]
    pub http_ports: Option<Ports>,
    /// TCP ports; 23 is always one.
    #[serde(default, deserialize_with = "clearable")]
    pub tcp_ports: Option<Ports>,
    /// UDP ports.
    #[serde(default, deserialize_with = "clearable")]
    pub udp_ports: Option<Ports>,
}
