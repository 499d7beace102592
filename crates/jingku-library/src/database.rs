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
use crate::durable;
use crate::environment::Environment;
use crate::random::unique_id;
use crate::start_error::StartError;

/// The file of a data directory whose catalogue is a database.
const NAME: &str = "database";
/// The same for the database to which the catalogue is being moved. It has no store id if that is a file.
const NEXT: &str = "database.next";

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
#[derive(Clone)]
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
        let record = read(data, NAME)?;
        let named = environment.database.as_ref().or(config.database.as_ref());
        let Some(url) = named.or(record.as_ref().map(|record| &record.url)).cloned() else { return Ok(None) };
        let store_id = record.map(|record| record.store_id);
        Ok(Some(Self { url, password_file: environment.password_file.clone(), store_id }))
    }

    /// The database that the data directory has used last; `None` if its catalogue is a file.
    pub(crate) fn attached(data: &DataDir, environment: &Environment) -> Result<Option<Self>, StartError> {
        let record = read(data, NAME)?;
        let attach = |Record { url, store_id, .. }| {
            let password_file = environment.password_file.clone();
            Self { url, password_file, store_id: Some(store_id) }
        };
        Ok(record.map(attach))
    }

    /// The id of the data directory; empty if it has not used a database before.
    pub(crate) fn store_id(&self) -> &str {
        self.store_id.as_deref().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Whether the data directory has used a database before.
    pub(crate) fn is_attached(&self) -> bool {
        self.store_id.is_some()
    }

    /// The name of the server of a data directory, which may be empty; `None` if all rows without a server belong to it.
    pub(crate) fn host(data: &DataDir) -> Result<Option<String>, StartError> {
        Ok(read(data, NAME)?.and_then(|record| record.host))
    }

    /// Records the name of the server.
    pub(crate) fn record_host(data: &DataDir, name: &str) -> Result<(), StartError> {
        let Some(record) = read(data, NAME)? else { return Ok(()) };
        write(data, NAME, &Record { host: Some(name.to_owned()), ..record })
    }

    /// Opens the catalogue. A data directory without a catalogue gets the database, if that has no data directory yet, or
    /// if the images of both are in a bucket, whose owner is compared next.
    pub(crate) async fn open(
        self,
        data: &DataDir,
        environment: &Environment,
        in_bucket: bool,
    ) -> Result<Catalog, StartError> {
        let catalog = refuse_moved(self.connect(data.is_writable()).await?).await?;
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
            write(data, NAME, &self.record(&store_id, host))?;
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
        write(data, NAME, &self.record(&store_id, None))?;
        from.copy_to(&catalog, &store_id).await?;
        Ok(())
    }

    fn record(&self, store_id: &str, host: Option<String>) -> Record {
        Record { url: self.url.clone(), store_id: store_id.to_owned(), host }
    }

    pub(crate) async fn connect(&self, is_writable: bool) -> Result<Catalog, StartError> {
        let (url, password_file) = (self.url.expose(), self.password_file.as_deref());
        Ok(if is_writable {
            Catalog::connect_postgres(url, password_file).await?
        } else {
            Catalog::connect_postgres_read_only(url, password_file).await?
        })
    }
}

/// Returns a catalogue that was not moved.
pub(crate) async fn refuse_moved(catalog: Catalog) -> Result<Catalog, StartError> {
    match catalog.moved_to().await? {
        Some(place) => Err(StartError::CatalogMoved(place)),
        None => Ok(catalog),
    }
}

/// Whether the catalogue is being moved.
pub(crate) fn is_moving(data: &DataDir) -> Result<bool, StartError> {
    Ok(read(data, NEXT)?.is_some())
}

/// Whether the catalogue is being moved from this database to a file.
pub(crate) fn is_moving_to_file(data: &DataDir, from: &DatabaseUrl) -> Result<bool, StartError> {
    let is_same = |next: Record| next.store_id.is_empty() && next.url.expose() == from.expose();
    Ok(read(data, NEXT)?.is_some_and(is_same))
}

/// The store id of a database to which the catalogue is being moved.
pub(crate) fn next_store_id(data: &DataDir, url: &DatabaseUrl) -> Result<Option<String>, StartError> {
    let next = read(data, NEXT)?.filter(|next| next.url.expose() == url.expose());
    // Two databases must not have the same id.
    Ok(next.map(|next| next.store_id).filter(|id| !id.is_empty()))
}

/// Records that the catalogue is being moved to a database, or with an empty store id to a file.
pub(crate) fn announce_next(data: &DataDir, url: &DatabaseUrl, store_id: &str) -> Result<(), StartError> {
    let host = ExternalDatabase::host(data)?;
    write(data, NEXT, &Record { url: url.clone(), store_id: store_id.to_owned(), host })
}

/// Makes the announced database that of the data directory.
pub(crate) fn attach_next(data: &DataDir) -> Result<(), StartError> {
    let path = data.path().join(NAME);
    durable::rename(&data.path().join(NEXT), &path).map_err(StartError::io(path))
}

/// Makes the file the catalogue of the data directory.
pub(crate) fn detach(data: &DataDir) -> Result<(), StartError> {
    data.remove(NAME)?;
    data.remove(NEXT)
}

fn read(data: &DataDir, name: &str) -> Result<Option<Record>, StartError> {
    let path = data.path().join(name);
    if !path.exists() {
        return Ok(None);
    }
    let record = data.state(name);
    record.map(Some).ok_or_else(|| StartError::DatabaseFile(path))
}

/// Changes nothing if it is written already, so that commands can run while the disk is full.
fn write(data: &DataDir, name: &str, record: &Record) -> Result<(), StartError> {
    let is_current = |known: &Record| {
        let url = known.url.expose() == record.url.expose();
        url && (&known.store_id, &known.host) == (&record.store_id, &record.host)
    };
    if read(data, name)?.as_ref().is_some_and(is_current) {
        return Ok(());
    }
    data.replace(name, &serde_json::to_string(record).expect("texts have a JSON form"))
}
