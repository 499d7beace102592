//! Restrictions of a key, parsed for checking requests.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use jingku_catalog::{Key, KeyLimits};

use crate::error::{Internal, LibraryError};

/// Maximum number of address ranges of a key.
pub(crate) const RANGES_MAX: usize = 64;
/// Prefix length of the IPv4-mapped part of IPv6.
const MAPPED_BITS: u8 = 96;

/// The parsed limits of a key.
pub struct KeyRestrictions {
    /// Whether the key is restricted to reading.
    pub read_only: bool,
    ranges: Vec<IpNet>,
}

impl KeyRestrictions {
    pub(crate) fn read(key: &Key) -> Result<Self, Internal> {
        let bad =
            |range: &str| Internal::BadRow(format!("key {}: invalid address range: {range}", key.public_key));
        let ranges = key.limits.addresses.iter().map(|text| range(text).ok_or_else(|| bad(text)));
        Ok(Self { read_only: key.limits.read_only, ranges: ranges.collect::<Result<_, _>>()? })
    }

    /// Whether a range contains the address. An unknown `peer` is allowed only without ranges.
    pub fn allows_address(&self, peer: Option<IpAddr>) -> bool {
        // A dual-stack listener reports IPv4 clients as `::ffff:192.0.2.1`.
        let peer = peer.map(|peer| peer.to_canonical());
        let allowed = |peer: IpAddr| self.ranges.iter().any(|range| range.contains(&peer));
        self.ranges.is_empty() || peer.is_some_and(allowed)
    }
}

/// Limits as the catalogue stores them: ranges in canonical spelling, without duplicates.
pub(crate) fn normalize(limits: &KeyLimits) -> Result<KeyLimits, LibraryError> {
    if limits.addresses.len() > RANGES_MAX {
        return Err(LibraryError::TooManyRanges { given: limits.addresses.len(), max: RANGES_MAX });
    }
    let mut addresses = Vec::new();
    for text in &limits.addresses {
        let range = range(text).ok_or_else(|| LibraryError::BadRange(text.clone()))?.to_string();
        if !addresses.contains(&range) {
            addresses.push(range);
        }
    }
    Ok(KeyLimits { read_only: limits.read_only, addresses })
}

/// Parses `10.0.0.0/8`, `fd00::/8`, or one address. Refuses `10.1.2.3/8`, which is probably a mistake.
pub(crate) fn range(text: &str) -> Option<IpNet> {
    let range = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().ok()?,
    };
    if range.addr() != range.network() {
        return None;
    }
    let (IpAddr::V4(address), IpNet::V6(_)) = (range.addr().to_canonical(), range) else {
        return Some(range);
    };
    // Peers in IPv4-mapped IPv6 are compared as IPv4, so ranges must be converted too.
    let length = range.prefix_len().checked_sub(MAPPED_BITS)?;
    Ipv4Net::new(address, length).ok().map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(addresses: &[&str]) -> KeyLimits {
        KeyLimits { read_only: false, addresses: addresses.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn ranges_have_a_canonical_spelling() {
        for (given, kept) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("FD00:0:0::/8", "fd00::/8"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(normalize(&limited(&[given])).unwrap().addresses, [kept], "{given}");
        }
        assert_eq!(normalize(&limited(&["::1", "::1/128"])).unwrap().addresses, ["::1/128"]);
    }

    #[test]
    fn invalid_ranges_are_refused() {
        for bad in [
            "",
            "10",
            "10.0.0.0/33",
            "10.1.2.3/8",
            "10.0.0.0/",
            " 10.0.0.0/8",
            "localhost",
            "fe80::1%1",
            "::/129",
        ] {
            let refused = normalize(&limited(&["10.0.0.0/8", bad]));
            assert!(matches!(refused, Err(LibraryError::BadRange(text)) if text == bad), "{bad}");
        }
        assert!(normalize(&limited(&["::1"; RANGES_MAX])).is_ok());
        let refused = normalize(&limited(&["::1"; RANGES_MAX + 1]));
        assert!(matches!(refused, Err(LibraryError::TooManyRanges { given: 65, max: 64 })));
    }
}
