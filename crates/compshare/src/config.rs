use std::time::Duration;

use secrecy::SecretString;

use crate::error::Error;

/// The cloud's endpoint.
pub const DEFAULT_BASE_URL: &str = "https://api.compshare.cn";

/// Where a [`Client`](crate::Client) sends its calls, as whom, and how patiently. Its `Debug` text does not show the
/// private key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `http://` or `https://` URL of the server; [`DEFAULT_BASE_URL`] unless set.
    pub base_url: String,
    /// Names the account.
    pub public_key: String,
    /// Signs the calls; never sent.
    pub private_key: SecretString,
    /// The region of calls that name none. Absent, they go without one, which Jingku and the cloud both accept.
    pub region: Option<String>,
    /// The zone of calls that name none and are aimed at [`region`](Self::region).
    pub zone: Option<String>,
    /// The project of calls that name none.
    pub project_id: Option<String>,
    /// The longest time to establish a connection, TLS included; 10 s unless set.
    pub connect_timeout: Duration,
    /// The longest time of one call, its retries included, and the longest silence while an export streams; 90 s
    /// unless set, because the cloud's gateway itself gives up after 60 s.
    pub timeout: Duration,
    /// How often a call is sent again at most; 3 unless set. Which errors are worth it: [`Client::call`].
    ///
    /// [`Client::call`]: crate::Client::call
    pub max_retries: u32,
}

impl Config {
    /// Starts with a key pair and the defaults.
    pub fn new(public_key: impl Into<String>, private_key: impl Into<SecretString>) -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            public_key: public_key.into(),
            private_key: private_key.into(),
            region: None,
            zone: None,
            project_id: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(90),
            max_retries: 3,
        }
    }

    /// Reads `COMPSHARE_PUBLIC_KEY` and `COMPSHARE_PRIVATE_KEY`, which must be set, and `COMPSHARE_BASE_URL`,
    /// `COMPSHARE_REGION` and `COMPSHARE_ZONE`, which may be. White space around a value does not count, and an empty
    /// variable counts as unset.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let optional = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let required = |name: &str| {
            optional(name).ok_or_else(|| Error::Config(format!("set the environment variable {name}")))
        };
        let mut config = Self::new(required("COMPSHARE_PUBLIC_KEY")?, required("COMPSHARE_PRIVATE_KEY")?);
        config.base_url = optional("COMPSHARE_BASE_URL").unwrap_or(config.base_url);
        config.region = optional("COMPSHARE_REGION");
        config.zone = optional("COMPSHARE_ZONE");
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, Error> {
        Config::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_fills_the_configuration() {
        let keys = [("COMPSHARE_PUBLIC_KEY", "public"), ("COMPSHARE_PRIVATE_KEY", "private")];
        let least = config(&[&keys[..], &[("COMPSHARE_REGION", "")]].concat()).unwrap();
        assert_eq!((least.base_url.as_str(), &least.region, &least.zone), (DEFAULT_BASE_URL, &None, &None));
        assert_eq!(least.private_key.expose_secret(), "private");

        let rest = [
            ("COMPSHARE_BASE_URL", "http://127.0.0.1:1\r"),
            ("COMPSHARE_REGION", " r\n"),
            ("COMPSHARE_ZONE", "z"),
        ];
        let full = config(&[&keys[..], &rest[..]].concat()).unwrap();
        assert_eq!(full.base_url, "http://127.0.0.1:1");
        assert_eq!((full.region.as_deref(), full.zone.as_deref()), (Some("r"), Some("z")));
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = config(&[("COMPSHARE_PUBLIC_KEY", "public")]).unwrap_err();
        assert!(error.to_string().contains("COMPSHARE_PRIVATE_KEY"), "{error}");
    }
}
