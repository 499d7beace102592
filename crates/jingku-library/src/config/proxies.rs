//! Settings of reverse proxies and load balancers.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

use crate::key_limits::range;

/// The proxies in front of the server, which name the address of the client.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxySettings {
    /// The addresses of the proxies. Nobody else can name the address of a client.
    pub trusted: Vec<AddressRange>,
    /// How they name it.
    pub protocol: ProxyProtocol,
}

/// How a proxy names the address of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyProtocol {
    /// In the header `X-Forwarded-For` of each request.
    #[default]
    XForwardedFor,
    /// In the PROXY protocol, version 1 or 2, at the start of each connection.
    Proxy,
}

/// An address or a range of addresses, such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AddressRange(IpNet);

/// A text that is not an [`AddressRange`].
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a valid CIDR range. Write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7; the address must be the first of \
     the range"
)]
pub struct BadAddressRange(String);

impl TryFrom<String> for AddressRange {
    type Error = BadAddressRange;

    fn try_from(text: String) -> Result<Self, BadAddressRange> {
        range(&text).map(Self).ok_or(BadAddressRange(text))
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl ProxySettings {
    /// Whether the address is that of a proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|AddressRange(range)| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_given_ranges_are_trusted() {
        let proxies: ProxySettings =
            toml::from_str("trusted = ['10.0.0.0/8', '::1']\nprotocol = 'proxy'").unwrap();
        assert_eq!(proxies.protocol, ProxyProtocol::Proxy);
        for (address, trusted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("::1", true),
            ("11.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(proxies.trusts(address.parse().unwrap()), trusted, "{address}");
        }
        assert!(!ProxySettings::default().trusts("127.0.0.1".parse().unwrap()));
        let error = toml::from_str::<ProxySettings>("trusted = ['10.1.2.3/8']").unwrap_err().to_string();
        assert!(error.contains("not a valid CIDR range"), "{error}");
    }
}
