//! The configuration file. Everything in it has a default: no file is needed.

mod account_limits;
mod byte_size;
mod community;
mod connections;
mod jobs;
mod listen_address;
mod public_url;
mod upkeep;
mod zones;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jingku_sources::DiskFormat;
use serde::Deserialize;

use crate::sentence::clause;
use crate::text_file::read_text;

pub use account_limits::LimitSettings;
pub use byte_size::{BadSize, ByteSize};
pub use community::{Approve, Category, Community, OTHERS};
pub use connections::ConnectionLimits;
pub use jobs::JobSettings;
pub use listen_address::{BadListenAddress, ListenAddress};
pub use public_url::{BadPublicUrl, PublicUrl};
pub use upkeep::{ScrubSettings, SweepSettings, TrashSettings};
pub use zones::{Zone, Zones};

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: ListenAddress,
    /// Where clients reach the service, when that is not where it listens.
    pub public_url: Option<PublicUrl>,
    /// Demand what the API documents call required, such as `Region` and `Zone`, though nothing needs it.
    pub strict: bool,
    /// The zones there are, instead of those of the real service. The first is the default.
    pub zones: Vec<Zone>,
    /// Instances to declare at start. One that was declared before is brought up to date.
    pub instances: Vec<DeclaredInstance>,
    /// How images come into the community, and the tags to find them by.
    pub community: Community,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// How long what was deleted is kept.
    pub trash: TrashSettings,
    /// When what no image needs is removed.
    pub sweep: SweepSettings,
    /// In how many days every byte is read.
    pub scrub: ScrubSettings,
    /// How many images are made at once, and how long one may take.
    pub jobs: JobSettings,
    /// What an account may have, unless it has limits of its own.
    pub limits: LimitSettings,
}

/// An instance in the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredInstance {
    /// Its id, such as `uhost-lab1`.
    pub id: String,
    /// Its disk, raw or qcow2; a relative path starts at the configuration file.
    pub disk: PathBuf,
    /// What the disk is; told by its content when absent.
    pub format: Option<DiskFormat>,
    /// The zone it is in; the default zone when absent.
    pub zone: Option<String>,
    /// Its name; the id when absent.
    pub name: Option<String>,
    /// Whose it is; account 1 when absent.
    #[serde(default = "first_account")]
    pub account: i64,
    /// Its GPU model.
    #[serde(default)]
    pub gpu_type: String,
}

fn first_account() -> i64 {
    1
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)).into(),
            public_url: None,
            strict: false,
            zones: Vec::new(),
            instances: Vec::new(),
            community: Community::default(),
            connections: ConnectionLimits::default(),
            trash: TrashSettings::default(),
            sweep: SweepSettings::default(),
            scrub: ScrubSettings::default(),
            jobs: JobSettings::default(),
            limits: LimitSettings::default(),
        }
    }
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("The configuration file {} cannot be read: {}.", path.display(), clause(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or says what is not understood.
    #[error("The configuration file {} is wrong: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            read_text(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let mut config: Self =
            toml::from_str(&text).map_err(|source| ConfigError::Invalid { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for instance in &mut config.instances {
            instance.disk = folder.join(&instance.disk);
        }
        Ok(config)
    }

    /// The zones it declares, or else those of the real service.
    pub(crate) fn zones(&self) -> Zones {
        Zones::new(self.zones.clone()).unwrap_or_default()
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
