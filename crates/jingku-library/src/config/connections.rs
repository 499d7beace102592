//! Settings of connections.

use serde::Deserialize;

use crate::limits::{MAX_ADDRESS_CONNECTIONS, MAX_CONNECTIONS};

/// Maximum numbers of connections.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// In total. At most half of the file descriptors that the process may open.
    pub total: usize,
    /// From one IPv4 address, or from one IPv6 network of 64 bits. Loopback addresses are exempt, because a local proxy
    /// speaks for many clients.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: MAX_CONNECTIONS, per_address: MAX_ADDRESS_CONNECTIONS }
    }
}
