//! Which client an address belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of a client; for IPv6, its /64 network, in which one client can choose any address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin(IpAddr);

impl Origin {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Self(Ipv6Addr::from_bits(network).into())
            }
            IpAddr::V6(_) => Self(Ipv4Addr::LOCALHOST.into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }

    pub(crate) fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }
}
