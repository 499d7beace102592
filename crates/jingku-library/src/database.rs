//! The PostgreSQL database that a data directory uses as its catalogue instead of a file.
//!
//! The file `database` of the data directory has the URL, the name of the server, and an id, which the database has too
//! (its *store id*). The two ids are compared on every connection, because changes acknowledged in another database would be
//! lost, and a sweep guided by it would remove all images. The id is written to the data directory before the database, and
//! to a database only if it has no id.

use std::path::PathBuf;

use jingku_catalog::{Catalog, CatalogError};
use serde::{Deserialize, Serialize};

use crate::config::{Config, DatabaseUrl};
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::random::unique_id;
use crate::start_error::StartError;

/// The file of a data directory whose catalogue is a database.
const NAME: &str = "database";

impl DataDir {
    /// Whether the catalogue is in a database.
    pub fn has_database(&self) -> bool {
        self.path().join(NAME).exists()
    }
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Record {
    url: DatabaseUrl,
    store_id: String,
    /// The name of the server; empty before it has one. `None` if all rows without a server belong to this data directory.
    #[serde(default)]
    host: Option<String>,
}

/// The database of a data directory.
pub(crate) struct ExternalDatabase {
    url: DatabaseUrl,
    password_file: Option<PathBuf>,
    /// `None` if the data directory has not used a database before.
    store_id: Option<String>,
}

impl ExternalDatabase {
    /// Finds the database of a data directory: that of the environment, or else of the configuration, or else the last one.
    /// `None` if the catalogue is a file.
    pub(crate) fn of(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> Result<Option<Self>, StartError> {
        let record = read(data)?;
        let named = environment.database.as_ref().or(config.database.as_ref());
        let Some(url) = named.or(record.as_ref().map(|record| &record.url)).cloned() else { return Ok(None) };
        let store_id = record.map(|record| record.store_id);
        Ok(Some(Self { url, password_file: environment.password_file.clone(), store_id }))
    }

    /// Whether the data directory has used a database before.
    pub(crate) fn is_attached(&self) -> bool {
        self.store_id.is_some()
    }

    /// The name of the server of a data directory, which may be empty; `None` if all rows without a server belong to it.
    pub(crate) fn host(data: &DataDir) -> Result<Option<String>, StartError> {
        Ok(read(data)?.and_then(|record| record.host))
    }

    /// Records the name of the server.
    pub(crate) fn record_host(data: &DataDir, name: &str) -> Result<(), StartError> {
        let Some(record) = read(data)? else { return Ok(()) };
        write(data, &Record { host: Some(name.to_owned()), ..record })
    }

    /// Opens the catalogue. A data directory without a catalogue gets the database, if that has no data directory yet, or
    /// if the images of both are in a bucket, whose owner is compared next.
    pub(crate) async fn open(
        self,
        data: &DataDir,
        environment: &Environment,
        in_bucket: bool,
    ) -> Result<Catalog, StartError> {
        let catalog = self.connect(data.is_writable()).await?;
        let found = catalog.store_id().await?;
        let joins = self.store_id.is_none()
            && in_bucket
            && !found.is_empty()
            && !data.has_manifests()
            && !data.has_catalog()
            && catalog.known_bucket_owner().await?.is_some();
        let store_id = match self.store_id.clone() {
            // The database is new, but the data directory is not: it would lose all its images.
            Some(_) if found.is_empty() && data.has_manifests() => {
                return Err(StartError::DatabaseEmpty(data.path().to_owned()));
            }
            Some(store_id) => store_id,
            None if joins => found,
            None if !found.is_empty() => return Err(CatalogError::AnotherStore.into()),
            None if data.has_manifests() || data.has_catalog() => {
                return Err(StartError::CatalogInFile(data.path().to_owned()));
            }
            None => unique_id(&*environment.random),
        };
        if data.is_writable() {
            // Nothing that was added before the database had several servers belongs to one that joins.
            let host = if joins { Some(String::new()) } else { Self::host(data)? };
            write(data, &self.record(&store_id, host))?;
        }
        catalog.bind_store(&store_id).await?;
        Ok(catalog)
    }

    /// Replaces the rows of an empty database by those of `from`, which is a restored backup. A database that an interrupted
    /// restore of this data directory has filled is replaced again.
    pub(crate) async fn fill(
        self,
        data: &DataDir,
        from: &Catalog,
        environment: &Environment,
    ) -> Result<(), StartError> {
        let catalog = self.connect(true).await?;
        let (found, is_new) = (catalog.store_id().await?, catalog.library_id().await?.is_none());
        let is_empty = found.is_empty() && is_new;
        let is_unfinished = self.store_id.as_ref().is_some_and(|store_id| *store_id == found);
        if !is_empty && !is_unfinished {
            return Err(StartError::DatabaseNotEmpty);
        }
        let store_id = self.store_id.clone().unwrap_or_else(|| unique_id(&*environment.random));
        write(data, &self.record(&store_id, None))?;
        from.copy_to(&catalog, &store_id).await?;
        Ok(())
    }

    fn record(&self, store_id: &str, host: Option<String>) -> Record {
        Record { url: self.url.clone(), store_id: store_id.to_owned(), host }
    }

    async fn connect(&self, is_writable: bool) -> Result<Catalog, StartError> {
        let (url, password_file) = (self.url.expose(), self.password_file.as_deref());
        Ok(if is_writable {
            Catalog::connect_postgres(url, password_file).await?
        } else {
            Catalog::connect_postgres_read_only(url, password_file).await?
        })
    }
}

fn read(data: &DataDir) -> Result<Option<Record>, StartError> {
    let path = data.path().join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let record = data.state(NAME);
    record.map(Some).ok_or_else(|| StartError::DatabaseFile(path))
}

/// Changes nothing if it is written already, so that commands can run while the disk is full.
fn write(data: &DataDir, record: &Record) -> Result<(), StartError> {
    let is_current = |known: &Record| {
        let url = known.url.expose() == record.url.expose();
        url && (&known.store_id, &known.host) == (&record.store_id, &record.host)
    };
    if read(data)?.as_ref().is_some_and(is_current) {
        return Ok(());
    }
    data.replace(NAME, &serde_json::to_string(record).expect("texts have a JSON form"))
}
