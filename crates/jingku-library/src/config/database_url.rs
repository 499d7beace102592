//! The URL of a database, which may contain a password.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The URL of a PostgreSQL database. It is checked when it is used: the error of a configuration file shows the line that is
/// wrong, and with it the password.
#[derive(Clone)]
pub struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// Takes the text of a URL, right or wrong.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL without user, password and parameters, to be shown.
    pub(crate) fn place(&self) -> String {
        let url = self.expose().split(['?', '#']).next().unwrap_or_default();
        match url.split_once("://") {
            Some((scheme, rest)) => {
                format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, place)| place))
            }
            None => "a database".to_owned(),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DatabaseUrl(…)")
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// For the data directory, which only its owner can read.
impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

/// Shows a database as others may see it.
#[expect(clippy::ref_option, reason = "serde passes references")]
pub(super) fn database<S: Serializer>(url: &Option<DatabaseUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_ref().map(DatabaseUrl::place).serialize(serializer)
}

/// Shows the URL of a collector as others may see it.
#[expect(clippy::ref_option, reason = "serde passes references")]
pub(super) fn collector<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().map(|url| DatabaseUrl::new(url).place()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_secrets() {
        for (url, place) in [
            ("postgres://jingku:p@ss@db:5432/lab?password=x", "postgres://db:5432/lab"),
            ("postgres:///lab?host=/run/postgresql&user=jingku", "postgres:///lab"),
            ("jingku:secret", "a database"),
        ] {
            assert_eq!(DatabaseUrl::new(url).place(), place);
        }
    }
}
