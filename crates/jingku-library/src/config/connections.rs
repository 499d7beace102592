//! Settings of connections.

use serde::Deserialize;

use crate::limits::{MAX_ADDRESS_CONNECTIONS, MAX_CONNECTIONS};

/// How many connections there may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// In total. Half of the file descriptors that the process may open, if that is less.
    pub total: usize,
    /// From one address: an IPv4 address, or the first 64 bits of an IPv6 address. A proxy on the same machine speaks for
    /// many clients, so loopback addresses are not limited.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: MAX_CONNECTIONS, per_address: MAX_ADDRESS_CONNECTIONS }
    }
}
