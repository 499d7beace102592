//! The configuration file. Every setting has a default; the file is optional.

mod byte_size;
mod cluster;
mod community;
mod containers;
mod database_url;
mod host;
mod jobs;
mod limits;
mod listen_address;
mod metrics;
mod proxies;
mod public_url;
mod setting;
mod storage;
mod telemetry;
mod tls;
mod upkeep;
mod webhooks;
mod zones;

use std::path::{Path, PathBuf};

use jingku_sources::DiskFormat;
use serde::{Deserialize, Serialize};

use crate::sentence::clause;
use crate::text_file::read_text;

pub use byte_size::{BadSize, ByteSize};
pub use cluster::{ClusterSettings, HostName};
pub use community::{Approve, Category, Community, OTHERS};
pub use containers::{ContainerSettings, NamedContainer};
pub use database_url::DatabaseUrl;
pub use host::{GpuSettings, HostSettings};
pub use jobs::JobSettings;
pub use limits::{ConnectionLimits, LimitSettings, RequestLimits};
pub use listen_address::{BadListenAddress, ListenAddress};
pub use metrics::MetricsSettings;
pub use proxies::{AddressRange, ProxyProtocol, ProxySettings};
pub use public_url::{BadPublicUrl, PublicUrl};
pub use setting::Setting;
pub use storage::{BadStorageUrl, S3Settings, StorageUrl};
pub use telemetry::TelemetrySettings;
pub use tls::TlsSettings;
pub use upkeep::{AuditSettings, ScrubSettings, SweepSettings, TrashSettings};
pub use webhooks::WebhookSettings;
pub use zones::{Zone, Zones};

/// The settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address to listen on.
    pub listen: ListenAddress,
    /// The PostgreSQL database that has the catalogue; `None` for a file in the data directory.
    #[serde(serialize_with = "database_url::database")]
    pub database: Option<DatabaseUrl>,
    /// This server among several that share the database.
    pub cluster: ClusterSettings,
    /// Certificate and key; plain HTTP without them.
    pub tls: Option<TlsSettings>,
    /// Allows plain HTTP on an address that other machines can reach.
    pub plain_http_on_public_addresses: bool,
    /// The reverse proxies and load balancers in front of the server.
    pub proxies: ProxySettings,
    /// The bucket with the data of images; `None` for a folder of the data directory.
    pub storage: Option<StorageUrl>,
    /// How to reach the object store of `storage`.
    pub s3: S3Settings,
    /// Metrics for Prometheus; none without it.
    pub metrics: Option<MetricsSettings>,
    /// Traces for an OpenTelemetry collector.
    pub telemetry: TelemetrySettings,
    /// The base URL that clients use, if it differs from the listen address.
    pub public_url: Option<PublicUrl>,
    /// Requires parameters that the API documents call required, such as `Region` and `Zone`, although nothing needs them.
    pub strict: bool,
    /// The zones, instead of those of the real service. The first is the default.
    pub zones: Vec<Zone>,
    /// Instances to declare at start. Existing ones are updated.
    pub instances: Vec<DeclaredInstance>,
    /// Containers as instances.
    pub containers: ContainerSettings,
    /// Review and tags of the image community.
    pub community: Community,
    /// Limits of connections.
    pub connections: ConnectionLimits,
    /// Limits of requests per second.
    pub requests: RequestLimits,
    /// How long deleted images are kept.
    pub trash: TrashSettings,
    /// How long entries of the audit log are kept.
    pub audit: AuditSettings,
    /// When data that no image needs is removed.
    pub sweep: SweepSettings,
    /// How often all data is verified.
    pub scrub: ScrubSettings,
    /// How many images are made in parallel, and how long one may take.
    pub jobs: JobSettings,
    /// Limits of accounts without limits of their own.
    pub limits: LimitSettings,
    /// Where webhooks may lead.
    pub webhooks: WebhookSettings,
}

/// An instance in the configuration file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredInstance {
    /// Its id, such as `uhost-lab1`.
    pub id: String,
    /// Its disk, raw or qcow2. A relative path is resolved against the folder of the configuration file.
    pub disk: PathBuf,
    /// The format of the disk; detected from the content if absent.
    pub format: Option<DiskFormat>,
    /// Its zone; the default zone if absent.
    pub zone: Option<String>,
    /// Its name; the id if absent.
    pub name: Option<String>,
    /// Its account; account 1 if absent.
    #[serde(default = "first_account")]
    pub account: i64,
    /// Its GPU model.
    #[serde(default)]
    pub gpu_type: String,
}

fn first_account() -> i64 {
    1
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("The configuration file {} cannot be read: {}.", .0.display(), clause(.1))]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is not TOML, or has an unknown setting or an invalid value.
    #[error("The configuration file {} is wrong: {}", .0.display(), .1)]
    Invalid(PathBuf, #[source] toml::de::Error),
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable(path.to_owned(), error);
        let invalid = |error| ConfigError::Invalid(path.to_owned(), error);
        let mut config: Self = toml::from_str(&read_text(path).map_err(unreadable)?).map_err(invalid)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for instance in &mut config.instances {
            instance.disk = folder.join(&instance.disk);
        }
        if let Some(metrics) = &mut config.metrics {
            metrics.token_file = folder.join(&metrics.token_file);
        }
        if let Some(tls) = &mut config.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        Ok(config)
    }

    /// The declared zones, or those of the real service.
    pub(crate) fn zones(&self) -> Zones {
        if self.zones.is_empty() { Zones::default() } else { Zones(self.zones.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_settings_are_refused() {
        assert!(toml::from_str::<Config>("strict = true").unwrap().strict);
        let error = toml::from_str::<Config>("stritc = true").unwrap_err().to_string();
        assert!(error.contains("stritc"), "{error}");
        let error = toml::from_str::<Config>("listen = 'localhost'").unwrap_err().to_string();
        assert!(error.contains("localhost:8480"), "{error}");
        let error = toml::from_str::<Config>("public_url = 'example.com'").unwrap_err().to_string();
        assert!(error.contains("cannot be the public URL"), "{error}");
    }

    #[test]
    fn an_instance_needs_only_id_and_disk() {
        let config: Config = toml::from_str("[[instances]]\nid = 'uhost-1'\ndisk = 'a.qcow2'").unwrap();
        assert_eq!((config.instances[0].account, config.instances[0].format), (1, None));
    }
}
