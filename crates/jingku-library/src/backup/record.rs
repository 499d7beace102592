//! The record of a generation: one line of JSON and its hash, in a file of its own.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;

/// The version that is written.
const VERSION: u32 = 2;
/// The longest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// What was backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    /// The library, [`Catalog::library_id`](jingku_catalog::Catalog::library_id). Not recorded by version 1.
    #[serde(default)]
    pub(super) library: Option<String>,
    /// When, in Unix seconds.
    pub(super) taken_at: i64,
    /// The BLAKE3 hash of the catalogue, also in the name of its file.
    pub(super) catalog: String,
    /// Files below `keys`: the name in a data folder, and the hash that names the file. Version 1 used the name.
    pub(super) keys: Vec<(String, String)>,
    pub(super) images: u64,
    /// Bytes of the catalogue and of the objects that it names. Not recorded by version 1.
    #[serde(default)]
    pub(super) bytes: Option<u64>,
}

/// The field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Record {
    pub(super) fn has_master_key(&self) -> bool {
        self.key("master.key").is_some()
    }

    /// The hash of a key's file.
    pub(super) fn key(&self, name: &str) -> Option<&str> {
        self.keys.iter().find(|(other, _)| other == name).map(|(_, hash)| hash.as_str())
    }

    /// Whether its key files have names instead of hashes.
    pub(super) fn is_first_version(&self) -> bool {
        self.version < 2
    }

    /// Reads a record; `None` if the file does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, BackupError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(RECORD_BYTES_MAX).read_to_string(&mut text));
        let damaged = || BackupError::DamagedFile(path.to_owned());
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged()),
            read => read.map_err(BackupError::io(path))?,
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

    /// The text of the record's file.
    pub(super) fn to_text(&self) -> String {
        let record = Self { version: VERSION, ..self.clone() };
        let line = serde_json::to_string(&record).expect("a record has a JSON form");
        format!("{line}\n{}\n", blake3::hash(line.as_bytes()))
    }
}

/// A generation of a backup and its record, unless that is corrupted.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) record: Option<Record>,
}

impl Entry {
    /// The record, which must be intact.
    pub(super) fn record(&self) -> Result<&Record, BackupError> {
        self.record.as_ref().ok_or_else(|| BackupError::DamagedFile(self.path.clone()))
    }
}
