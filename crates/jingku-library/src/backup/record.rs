//! The record of a generation: one line of JSON and its hash, in a file of its own.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::durable::if_found;
use crate::start_error::StartError;

const VERSION: u32 = 2;
/// The longest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// The record of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationRecord {
    pub(super) version: u32,
    /// The library, [`Catalog::library_id`](jingku_catalog::Catalog::library_id). Not recorded by version 1.
    #[serde(default)]
    pub library: Option<String>,
    /// When it was taken, in Unix seconds.
    pub taken_at: i64,
    /// The BLAKE3 hash of the catalogue, also in the name of its file.
    pub(super) catalog: String,
    /// Files below `keys`: the name in a data directory, and the hash that names the file. Version 1 used the name.
    pub(super) keys: Vec<(String, String)>,
    /// How many images it has, including the trash.
    pub images: u64,
    /// Bytes of the catalogue and of the objects that it names. Not recorded by version 1.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// The field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl GenerationRecord {
    /// Whether the generation includes the master key.
    pub fn has_master_key(&self) -> bool {
        self.key("master.key").is_some()
    }

    pub(super) fn key(&self, name: &str) -> Option<&str> {
        self.keys.iter().find(|(other, _)| other == name).map(|(_, hash)| hash.as_str())
    }

    /// Whether its key files have names instead of hashes.
    pub(super) fn is_first_version(&self) -> bool {
        self.version < 2
    }

    /// Reads a record; `None` if the file does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, BackupError> {
        let (mut text, damaged) = (String::new(), || BackupError::DamagedFile(path.to_owned()));
        let file = if_found(File::open(path)).map_err(StartError::io(path))?;
        let Some(file) = file else { return Ok(None) };
        match file.take(RECORD_BYTES_MAX).read_to_string(&mut text) {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged()),
            read => read.map_err(StartError::io(path))?,
        };
        let (line, hash) = text.split_once('\n').ok_or_else(damaged)?;
        if hash != format!("{}\n", blake3::hash(line.as_bytes())) {
            return Err(damaged());
        }
        let Version { version } = serde_json::from_str(line).map_err(|_| damaged())?;
        if version > VERSION {
            return Err(BackupError::Newer(path.to_owned()));
        }
        serde_json::from_str(line).map(Some).map_err(|_| damaged())
    }

    pub(super) fn to_text(&self) -> String {
        let record = Self { version: VERSION, ..self.clone() };
        let line = serde_json::to_string(&record).expect("a record has a JSON form");
        format!("{line}\n{}\n", blake3::hash(line.as_bytes()))
    }
}

/// The catalogue of one moment and everything that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, larger than those before.
    pub number: u64,
    pub(super) path: PathBuf,
    /// Its record; `None` if that is missing or corrupted.
    pub record: Option<GenerationRecord>,
}

impl Generation {
    /// The record, which must be intact.
    pub(super) fn record(&self) -> Result<&GenerationRecord, BackupError> {
        self.record.as_ref().ok_or_else(|| BackupError::DamagedFile(self.path.clone()))
    }
}
