//! The section `[cluster]`: this server among several that share a PostgreSQL catalogue and a bucket.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::public_url::PublicUrl;
use crate::limits::{HOST_LEASE_SECS_MAX, HOST_LEASE_SECS_MIN};

/// The longest name of a server, in bytes.
const HOST_NAME_BYTES_MAX: usize = 63;

/// How this server appears to the others. Without effect while the catalogue is a file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterSettings {
    /// The name of this server, which no other has; by default, that of the machine when it first used the database.
    pub host: Option<HostName>,
    /// The base URL at which the other servers reach it; the one that it listens on if absent.
    pub address: Option<PublicUrl>,
    /// Seconds without a sign of life after which another server may take over.
    pub lease_seconds: LeaseSeconds,
}

/// The name of a server: letters, digits, `.`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Makes a name of that of a machine: other characters become `-`.
    pub(crate) fn of_machine(machine: &str) -> Self {
        let name: String =
            machine.chars().take(HOST_NAME_BYTES_MAX).map(|c| if is_allowed(c) { c } else { '-' }).collect();
        Self(if name.is_empty() { "localhost".to_owned() } else { name })
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for HostName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if (1..=HOST_NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(is_allowed) {
            return Ok(Self(name));
        }
        let expected = "a name of 1 to 63 letters, digits, '.', '-' and '_'";
        Err(de::Error::invalid_value(de::Unexpected::Str(&name), &expected))
    }
}

/// How long a lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseSeconds(pub(crate) u16);

impl Default for LeaseSeconds {
    fn default() -> Self {
        Self(30)
    }
}

impl<'de> Deserialize<'de> for LeaseSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u16::deserialize(deserializer)?;
        if (HOST_LEASE_SECS_MIN..=HOST_LEASE_SECS_MAX).contains(&seconds) {
            return Ok(Self(seconds));
        }
        let expected = format!("a number from {HOST_LEASE_SECS_MIN} to {HOST_LEASE_SECS_MAX}");
        Err(de::Error::invalid_value(de::Unexpected::Unsigned(seconds.into()), &expected.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_lease_have_limits() {
        let read = |text: &str| toml::from_str::<ClusterSettings>(text);
        let settings =
            read("host = 'db-1.rack_2'\nlease_seconds = 6\naddress = 'http://10.0.0.1:8480'").unwrap();
        assert_eq!(
            (settings.host.unwrap().to_string(), settings.lease_seconds.0),
            ("db-1.rack_2".to_owned(), 6)
        );
        for wrong in ["host = ''", "host = 'a b'", "host = 'é'", "lease_seconds = 5", "lease_seconds = 601"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(HostName::of_machine("a b.c").to_string(), "a-b.c");
        assert_eq!(HostName::of_machine(&"x".repeat(100)).to_string().len(), HOST_NAME_BYTES_MAX);
        assert_eq!(HostName::of_machine("").to_string(), "localhost");
    }
}
