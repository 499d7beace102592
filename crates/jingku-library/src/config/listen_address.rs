//! The address that a server listens on: an IP address or a host name, and a port.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

/// How long resolving a host name may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A host and a port to listen on. The default is 127.0.0.1:8480.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ListenAddress {
    /// Without brackets if it is an IPv6 address.
    host: String,
    port: u16,
}

/// Why a text is not a [`ListenAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadListenAddress {
    /// The port is missing.
    #[error("{0:?} has no port. Write it as {0}:8480.")]
    NoPort(String),
    /// The host is missing.
    #[error("{0:?} has no address. Write it as 127.0.0.1{0}, or as 0.0.0.0{0} for every IPv4 address.")]
    NoHost(String),
    /// The text is only a port.
    #[error("{0:?} has no address. Write it as 127.0.0.1:{0}, or as 0.0.0.0:{0} for every IPv4 address.")]
    PortAlone(String),
    /// The port is not a number or too large.
    #[error("{0:?} cannot be a port. Use a number from 0 to 65535; 0 takes a free port.")]
    BadPort(String),
    /// An IPv6 address without brackets.
    #[error("{0:?} needs brackets around the IPv6 address, as in [::1]:8480.")]
    NoBrackets(String),
    /// A URL.
    #[error("{0:?} is a URL. Give only an address and a port, as in 127.0.0.1:8480.")]
    Url(String),
    /// The host is neither a name nor an address.
    #[error("{0:?} is neither a host name nor an IP address.")]
    BadHost(String),
}

impl ListenAddress {
    /// Resolves the host, IPv4 addresses first, within 10 s.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let lookup = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found = tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await;
        let found =
            found.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the name was not resolved"))?;
        let mut addresses: Vec<SocketAddr> = found?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.dedup();
        Ok(addresses)
    }
}

impl Default for ListenAddress {
    fn default() -> Self {
        SocketAddr::from(([127, 0, 0, 1], 8480)).into()
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl FromStr for ListenAddress {
    type Err = BadListenAddress;

    fn from_str(text: &str) -> Result<Self, BadListenAddress> {
        let text = text.trim();
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let is = |error: fn(String) -> BadListenAddress| Err(error(text.to_owned()));
        if text.contains("://") {
            return is(BadListenAddress::Url);
        }
        if text.parse::<Ipv6Addr>().is_ok() || (!text.contains(']') && text.matches(':').count() > 1) {
            return is(BadListenAddress::NoBrackets);
        }
        if text.ends_with(']') {
            return is(BadListenAddress::NoPort);
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            return is(if is_number { BadListenAddress::PortAlone } else { BadListenAddress::NoPort });
        };
        if host.is_empty() {
            return is(BadListenAddress::NoHost);
        }
        let port = port.parse().map_err(|_| BadListenAddress::BadPort(port.to_owned()))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let known = match bare {
            Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
            None => host.chars().all(is_name),
        };
        if !known {
            return Err(BadListenAddress::BadHost(host.to_owned()));
        }
        Ok(Self { host: bare.unwrap_or(host).to_owned(), port })
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = BadListenAddress;

    fn try_from(text: String) -> Result<Self, BadListenAddress> {
        text.parse()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_read() {
        for text in ["127.0.0.1:8480", "[::1]:0", "localhost:8480", "gpu-1.lab_2:65535"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        assert_eq!(" 127.0.0.1:1\r\n".parse::<ListenAddress>().unwrap().to_string(), "127.0.0.1:1");
    }

    #[test]
    fn an_invalid_address_names_the_problem() {
        for (text, why) in [
            ("", "has no port"),
            ("localhost", "localhost:8480"),
            ("127.0.0.1", "127.0.0.1:8480"),
            ("8480", "127.0.0.1:8480"),
            (":8480", "127.0.0.1:8480"),
            ("127.0.0.1:", "0 to 65535"),
            ("127.0.0.1:65536", "0 to 65535"),
            ("127.0.0.1:http", "0 to 65535"),
            ("127.0.0.1:-1", "0 to 65535"),
            ("::1", "brackets"),
            ("::1:8480", "brackets"),
            ("[::1]", "has no port"),
            ("[localhost]:1", "neither"),
            ("http://127.0.0.1:8480", "is a URL"),
            ("a b:1", "neither"),
            ("u@host:1", "neither"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
