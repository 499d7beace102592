//! The fixtures file: what a throw-away server holds from its start. docs/operate/lab.md describes it.
//!
//! Every table may get new fields, and unknown ones are refused, so that an old server never drops what a newer file
//! says.

mod check;
mod groups;
mod load;

use std::path::{Path, PathBuf};

use jingku_protocol::PlatformType;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use load::LoadedAccount;

use crate::operator::OperatorError;
use crate::sentence::clause;
use crate::text_file::read_text;

/// What the file says. An empty one is one account with a key pair that is made.
// No `Debug`: it holds private keys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixtures {
    accounts: Vec<AccountEntry>,
    instances: Vec<InstanceEntry>,
    images: Vec<ImageEntry>,
    /// Where it was read.
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountEntry {
    name: String,
    /// One is made when there is none.
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
    /// The first when absent.
    account: Option<String>,
    name: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    gpu_type: String,
    /// A disk without a file, this large. Either this or `disk`.
    size_mb: Option<u64>,
    /// A raw or qcow2 file, from the folder of the fixtures file on.
    disk: Option<PathBuf>,
    /// Why every image of it fails to be made.
    fails: Option<String>,
    /// How far such a making comes.
    fails_at_percent: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageEntry {
    name: String,
    /// The first when absent.
    account: Option<String>,
    /// Given by the server when absent.
    id: Option<String>,
    #[serde(default)]
    status: Status,
    /// Of one that is `Making`.
    progress: Option<u8>,
    /// Of one that is `UnAvailable`.
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
    /// Unix seconds; now when absent.
    create_time: Option<i64>,
    zone: Option<String>,
    /// The instance it was made of, which need not be there.
    #[serde(default)]
    instance: String,
    /// How many of them, numbered from 1; one without a number when absent.
    count: Option<u32>,
    #[serde(default)]
    container: bool,
    /// Names of other accounts.
    #[serde(default)]
    shared_with: Vec<String>,
    /// As a version of what, in the community. One that is `Reviewing` or `Offline` is in it anyway.
    published: Option<PublishedEntry>,
    /// Of one that is no account's, but the platform's.
    platform: Option<PlatformType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PublishedEntry {
    /// What the group is called: entries of one account that name the same are versions of it. One of its own when
    /// absent.
    group: Option<String>,
    /// The number after the highest of the group when absent.
    version: Option<String>,
    version_description: String,
    /// Names of accounts that favour the group, others than those of its other versions' entries too.
    favorites: Vec<String>,
    /// The group's place at the top of the community: the highest that an entry of the group says.
    recommended: u32,
}

impl PublishedEntry {
    const NOTHING: Self = Self {
        group: None,
        version: None,
        version_description: String::new(),
        favorites: Vec::new(),
        recommended: 0,
    };
}

impl Default for PublishedEntry {
    fn default() -> Self {
        Self::NOTHING
    }
}

fn usual_size() -> u64 {
    1024
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Status {
    Making,
    #[default]
    Available,
    UnAvailable,
    Reviewing,
    Offline,
}

/// A fixtures file that cannot be used. Nothing of it was loaded.
#[derive(Debug, thiserror::Error)]
pub enum FixturesError {
    /// It cannot be read.
    #[error("The fixtures file {} cannot be read: {}.", path.display(), clause(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says what is not understood or cannot be.
    #[error("The fixtures file {} is wrong: {place}: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The entry and its field, as `images[0].status`; entries are counted from 0.
        place: String,
        /// Why.
        why: String,
    },
    /// The server cannot be filled.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

impl Fixtures {
    /// Reads a fixtures file: JSON when its name ends in `.json`, TOML when in `.toml`, else JSON when it begins with
    /// a brace.
    pub fn read(path: &Path) -> Result<Self, FixturesError> {
        let text =
            read_text(path).map_err(|source| FixturesError::Unreadable { path: path.to_owned(), source })?;
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
        Ok(fixtures)
    }

    fn wrong(&self, place: impl Into<String>, why: impl Into<String>) -> FixturesError {
        FixturesError::Wrong { path: self.path.clone(), place: place.into(), why: why.into() }
    }
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| (error.path().to_string(), error.inner().to_string()))?;
    json.end().map_err(|error| (".".to_owned(), error.to_string()))?;
    Ok(parsed)
}

fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, (String, String)> {
    let whole = |error: toml::de::Error| (".".to_owned(), error.to_string());
    let toml = toml::Deserializer::parse(text).map_err(whole)?;
    serde_path_to_error::deserialize(toml)
        .map_err(|error| (error.path().to_string(), error.inner().message().to_owned()))
}
