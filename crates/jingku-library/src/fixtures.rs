//! The fixtures file: the initial content of an ephemeral server. docs/operate/lab.md describes it.
//!
//! Every table may get new fields. Unknown fields are refused, so that an old server does not silently ignore them.

mod check;
mod groups;
mod load;

use std::path::{Path, PathBuf};

use jingku_catalog::ImageStatus;
use jingku_protocol::PlatformType;
use serde::Deserialize;

pub use load::LoadedAccount;

use crate::error::LibraryError;
use crate::sentence::clause;
use crate::text_file::read_text;

/// The content of the file. An empty file creates one account with a generated key pair.
// No `Debug`: it holds private keys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixtures {
    accounts: Vec<AccountEntry>,
    instances: Vec<InstanceEntry>,
    images: Vec<ImageEntry>,
    /// The path of the file.
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountEntry {
    name: String,
    /// One is generated if there is none.
    #[serde(default)]
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    public_key: String,
    private_key: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceEntry {
    id: String,
    /// The first account if absent.
    account: Option<String>,
    name: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    gpu_type: String,
    /// Size of a generated disk. Either this or `disk`.
    size_mb: Option<u64>,
    /// A raw or qcow2 file, relative to the folder of the fixtures file.
    disk: Option<PathBuf>,
    /// Makes every image of it fail with this reason.
    fails: Option<String>,
    fails_at_percent: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageEntry {
    name: String,
    /// The first account if absent.
    account: Option<String>,
    /// Generated if absent.
    id: Option<String>,
    #[serde(default = "available")]
    status: ImageStatus,
    progress: Option<u8>,
    reason: Option<String>,
    #[serde(default = "usual_size")]
    size_mb: u64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    readme: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    supported_gpu_types: Vec<String>,
    #[serde(default)]
    gpu_type: String,
    price: Option<f64>,
    /// Unix seconds; now if absent.
    create_time: Option<i64>,
    zone: Option<String>,
    /// The source instance, which need not exist.
    #[serde(default)]
    instance: String,
    /// How many images, numbered from 1; a single one without a number if absent.
    count: Option<u32>,
    #[serde(default)]
    container: bool,
    /// Names of other accounts.
    #[serde(default)]
    shared_with: Vec<String>,
    /// Its version in the community. An image that is `Reviewing` or `Offline` is always in the community.
    published: Option<PublishedEntry>,
    /// Of an image that belongs to the platform.
    platform: Option<PlatformType>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PublishedEntry {
    /// The name of the group. Entries of one account with the same group are its versions. A group of its own if absent.
    group: Option<String>,
    /// The number after the highest of the group if absent.
    version: Option<String>,
    version_description: String,
    /// Names of accounts that favour the group, in addition to those of its other entries.
    favorites: Vec<String>,
    /// The recommendation of the group: the highest of its entries.
    recommended: u32,
}

fn usual_size() -> u64 {
    1024
}

fn available() -> ImageStatus {
    ImageStatus::Available
}

/// A fixtures file that cannot be used. Nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum FixturesError {
    /// It cannot be read.
    #[error("The fixtures file {} cannot be read: {}.", .0.display(), clause(.1))]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// An entry is invalid.
    #[error("The fixtures file {} is wrong: {place}: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The entry and its field, such as `images[0].status`; entries are counted from 0.
        place: String,
        /// The problem.
        why: String,
    },
    /// The library failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

impl Fixtures {
    /// Reads a fixtures file: JSON if its name ends in `.json`, TOML if in `.toml`, otherwise JSON if it begins with a brace.
    pub fn read(path: &Path) -> Result<Self, FixturesError> {
        let text = read_text(path).map_err(|error| FixturesError::Unreadable(path.to_owned(), error))?;
        let json = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => true,
            Some("toml") => false,
            _ => text.trim_start().starts_with('{'),
        };
        let parsed = if json { parse_json(&text) } else { parse_toml(&text) };
        let mut fixtures: Self = parsed.map_err(|(place, why)| {
            let place = if place == "." { "the file".to_owned() } else { place };
            FixturesError::Wrong { path: path.to_owned(), place, why }
        })?;
        path.clone_into(&mut fixtures.path);
        fixtures.check()?;
        for image in &mut fixtures.images {
            if matches!(image.status, ImageStatus::Reviewing | ImageStatus::Offline) {
                image.published.get_or_insert_default();
            }
        }
        Ok(fixtures)
    }

    fn wrong(&self, place: impl Into<String>, why: impl Into<String>) -> FixturesError {
        FixturesError::Wrong { path: self.path.clone(), place: place.into(), why: why.into() }
    }
}

fn parse_json(text: &str) -> Result<Fixtures, (String, String)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| (error.path().to_string(), error.inner().to_string()))?;
    json.end().map_err(|error| (".".to_owned(), error.to_string()))?;
    Ok(parsed)
}

fn parse_toml(text: &str) -> Result<Fixtures, (String, String)> {
    let whole = |error: toml::de::Error| (".".to_owned(), error.to_string());
    let toml = toml::Deserializer::parse(text).map_err(whole)?;
    serde_path_to_error::deserialize(toml)
        .map_err(|error| (error.path().to_string(), error.inner().message().to_owned()))
}
