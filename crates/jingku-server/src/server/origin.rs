//! Where connections come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a connection comes from, as far as clients can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(IpAddr);

impl Origin {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                // One client has a whole network of 64 bits to choose from.
                let network = address.to_bits() & !u128::from(u64::MAX);
                Self(Ipv6Addr::from_bits(network).into())
            }
            IpAddr::V6(_) => Self(Ipv4Addr::LOCALHOST.into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }

    pub(super) fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }
}
