//! Moves the catalogue between its file and databases.

use jingku_catalog::{Catalog, CopiedTable};

use super::MigrationError;
use crate::backup::{put_catalog, remove_catalog};
use crate::config::DatabaseUrl;
use crate::data_dir::DataDir;
use crate::database::{
    ExternalDatabase, announce_next, attach_next, detach, is_moving, next_store_id, refuse_moved,
};
use crate::environment::Environment;
use crate::failpoint;
use crate::random::unique_id;
use crate::start_error::StartError;

/// Where to move the catalogue.
#[derive(Clone, Debug)]
pub enum CatalogTarget {
    /// The file `catalog.db` of the data directory.
    File,
    /// A PostgreSQL database: empty, or one from which this catalogue was moved away.
    Database(DatabaseUrl),
}

/// The result of [`migrate_database`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedCatalog {
    /// The old place.
    pub from: String,
    /// The new place.
    pub to: String,
    /// The copied and compared rows.
    pub tables: Vec<CopiedTable>,
}

/// Moves the catalogue of a data directory that no server uses. An interrupted move changes nothing, or is undone by the
/// next run, which then moves everything.
pub async fn migrate_database(
    data: &DataDir,
    to: &CatalogTarget,
    environment: &Environment,
) -> Result<MovedCatalog, MigrationError> {
    if !data.is_writable() {
        return Err(MigrationError::ReadOnly(data.clone()));
    }
    let _lock = data.lock().map_err(|error| match error {
        StartError::InUse(_) => MigrationError::Served(data.clone()),
        error => error.into(),
    })?;
    data.check_whole()?;
    let attached = ExternalDatabase::attached(data, environment)?;
    let from = attached.as_ref().map_or_else(|| file_name(data), |attached| attached.url().place());
    let source = open_source(data, attached.as_ref(), environment).await?;
    let problems = source.check(true).await?;
    if !problems.is_empty() {
        return Err(MigrationError::DamagedCatalog(problems));
    }
    let target = match to {
        CatalogTarget::File => open_file(data, attached.as_ref()).await?,
        CatalogTarget::Database(url) => {
            open_database(data, url, (&source, attached.as_ref()), environment).await?
        }
    };
    failpoint::reached("migrate.database_announced");
    let Target { catalog, store_id, name } = target;
    let mut frozen = source.freeze().await?;
    let tables = frozen.copy_to(&catalog, &store_id).await?;
    // Closing the last handle moves all changes into the file.
    drop(catalog);
    failpoint::reached("migrate.database_copied");
    frozen.retire(&name).await?;
    failpoint::reached("migrate.database_retired");
    match to {
        CatalogTarget::File => {
            // That of an earlier move.
            remove_catalog(&data.catalog_path())?;
            put_catalog(data, &data.path().join(STAGED))?;
            failpoint::reached("migrate.database_placed");
            detach(data)?;
        }
        CatalogTarget::Database(_) => attach_next(data)?,
    }
    failpoint::reached("migrate.database_done");
    Ok(MovedCatalog { from, to: name, tables })
}

/// The file of a catalogue that is not complete.
const STAGED: &str = "catalog.db.new";

/// An opened target.
struct Target {
    catalog: Catalog,
    /// The id that it gets.
    store_id: String,
    name: String,
}

fn file_name(data: &DataDir) -> String {
    data.catalog_path().display().to_string()
}

/// Opens the catalogue, and undoes a move that was interrupted before the data directory referred to the target.
async fn open_source(
    data: &DataDir,
    attached: Option<&ExternalDatabase>,
    environment: &Environment,
) -> Result<Catalog, StartError> {
    let (catalog, store_id) = if let Some(database) = attached {
        (database.connect(true).await?, database.store_id())
    } else {
        data.check_library()?;
        (Catalog::open_sqlite(&data.catalog_path()).await?, "")
    };
    // Not of a copy of a data directory that has been moved since.
    if is_moving(data)? && catalog.moved_to().await?.is_some() {
        catalog.reinstate(store_id).await?;
    }
    match attached {
        Some(database) => database.clone().open(data, environment, false).await,
        None => refuse_moved(catalog).await,
    }
}

async fn open_file(data: &DataDir, attached: Option<&ExternalDatabase>) -> Result<Target, MigrationError> {
    let Some(attached) = attached else { return Err(MigrationError::SamePlace(file_name(data))) };
    let staged = data.path().join(STAGED);
    remove_catalog(&staged)?;
    announce_next(data, attached.url(), "")?;
    Ok(Target {
        catalog: Catalog::open_sqlite(&staged).await?,
        store_id: String::new(),
        name: file_name(data),
    })
}

/// Opens a database that is empty or that this catalogue was or is being moved to.
async fn open_database(
    data: &DataDir,
    url: &DatabaseUrl,
    (source, attached): (&Catalog, Option<&ExternalDatabase>),
    environment: &Environment,
) -> Result<Target, MigrationError> {
    let name = url.place();
    let catalog = Catalog::connect_postgres(url.expose(), environment.password_file.as_deref()).await?;
    let (found, library) = (catalog.store_id().await?, catalog.library_id().await?);
    if attached.is_some_and(|attached| !found.is_empty() && found == attached.store_id()) {
        return Err(MigrationError::SamePlace(name));
    }
    let next = next_store_id(data, url)?;
    let is_empty = found.is_empty() && library.is_none();
    let was_left = catalog.moved_to().await?.is_some() && library == source.library_id().await?;
    if !is_empty && !was_left && next.as_ref() != Some(&found) {
        return Err(MigrationError::NotEmpty(name));
    }
    let store_id = next.unwrap_or_else(|| unique_id(&*environment.random));
    announce_next(data, url, &store_id)?;
    Ok(Target { catalog, store_id, name })
}
