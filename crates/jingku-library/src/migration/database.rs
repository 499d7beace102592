//! Moves the catalogue between its file and databases while a server may use it.

use jingku_catalog::{Catalog, CatalogError, CopiedTable};

use super::MigrationError;
use crate::backup::{put_catalog, remove_catalog};
use crate::config::DatabaseUrl;
use crate::data_dir::DataDir;
use crate::database::{
    ExternalDatabase, announce_next, attach_next, detach, is_moving, is_moving_to_file, next_store_id,
    refuse_moved,
};
use crate::environment::Environment;
use crate::failpoint;
use crate::random::unique_id;
use crate::start_error::StartError;

/// The most passes beside a busy server, before changes must wait for the last one.
const PASSES_MAX: u32 = 8;
/// If a pass has written fewer rows, the next one notes changes, and is the last.
const FEW_ROWS: u64 = 1000;

/// Where to move the catalogue.
#[derive(Clone, Debug)]
pub enum CatalogTarget {
    /// The file `catalog.db` of the data directory.
    File,
    /// A PostgreSQL database: empty, or one from which this catalogue was moved away.
    Database(DatabaseUrl),
}

/// Options of [`migrate_database`].
pub struct MoveCatalog<'a> {
    /// The data directory.
    pub data: &'a DataDir,
    /// Where to move its catalogue.
    pub to: &'a CatalogTarget,
    /// The environment.
    pub environment: &'a Environment,
    /// Called with the progress.
    pub report: &'a (dyn Fn(CatalogProgress) + Sync),
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogProgress {
    /// A pass has ended. A server can change the catalogue meanwhile.
    Copied {
        /// The rows that it has written.
        rows: u64,
    },
    /// No change is possible until the move has ended.
    Finishing,
}

/// The result of [`migrate_database`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedCatalog {
    /// The old place.
    pub from: String,
    /// The new place.
    pub to: String,
    /// The rows that this run has written. Those that an interrupted run has written are not written again.
    pub written: u64,
    /// All rows, each compared.
    pub tables: Vec<CopiedTable>,
}

/// Moves the catalogue of a data directory, while a server may use it. The next run of an interrupted move continues it.
pub async fn migrate_database(how: &MoveCatalog<'_>) -> Result<MovedCatalog, MigrationError> {
    let MoveCatalog { data, to, environment, .. } = how;
    if !data.is_writable() {
        return Err(MigrationError::ReadOnly((*data).clone()));
    }
    let _lock = data.lock_move()?;
    data.check_whole()?;
    let attached = ExternalDatabase::attached(data, environment)?;
    let from = attached.as_ref().map_or_else(|| file_name(data), |attached| attached.url().place());
    let source = open_source(data, attached.as_ref(), environment).await?;
    let problems = source.check(true).await?;
    if !problems.is_empty() {
        return Err(MigrationError::DamagedCatalog(problems));
    }
    let target = match to {
        CatalogTarget::File => open_file(data, &source, attached.as_ref()).await?,
        CatalogTarget::Database(url) => {
            open_database(data, url, (&source, attached.as_ref()), environment).await?
        }
    };
    failpoint::reached("migrate.database_announced");
    let Target { catalog, store_id, name } = target;
    let watch = |_| failpoint::reached("migrate.database_page");
    let mut written = 0;
    for _ in 0..PASSES_MAX {
        let rows = source.copy_changes(&catalog, &store_id, &watch).await?;
        written += rows;
        (how.report)(CatalogProgress::Copied { rows });
        if rows < FEW_ROWS {
            break;
        }
    }
    failpoint::reached("migrate.database_copied");
    let mark = unique_id(&*environment.random);
    let ended = async {
        let noted = source.copy_and_note_changes(&catalog, &store_id, &mark, &watch).await?;
        failpoint::reached("migrate.database_noted");
        let mut frozen = source.freeze().await?;
        (how.report)(CatalogProgress::Finishing);
        let (last, tables) = frozen.complete(&catalog, &store_id, &mark, &watch).await?;
        // Closing the last handle moves all changes into the file.
        drop(catalog);
        failpoint::reached("migrate.database_compared");
        frozen.retire(&name).await?;
        Ok::<_, CatalogError>((noted + last, tables))
    };
    let (rows, tables) = match ended.await {
        Ok(ended) => ended,
        Err(error) => {
            // The library stays here. If this fails as well, the next move removes what notes changes.
            let _ = source.forget_changes().await;
            return Err(error.into());
        }
    };
    failpoint::reached("migrate.database_retired");
    switch(data, to)?;
    failpoint::reached("migrate.database_done");
    Ok(MovedCatalog { from, to: name, written: written + rows, tables })
}

/// Makes the target the catalogue of the data directory.
fn switch(data: &DataDir, to: &CatalogTarget) -> Result<(), StartError> {
    match to {
        CatalogTarget::File => {
            // That of an earlier move.
            remove_catalog(&data.catalog_path())?;
            put_catalog(data, &data.path().join(STAGED))?;
            failpoint::reached("migrate.database_placed");
            detach(data)
        }
        CatalogTarget::Database(_) => attach_next(data),
    }
}

/// The file of a catalogue that is not complete.
const STAGED: &str = "catalog.db.new";

/// An opened target.
struct Target {
    catalog: Catalog,
    /// Its id. No server can start on it before the data directory refers to it.
    store_id: String,
    name: String,
}

fn file_name(data: &DataDir) -> String {
    data.catalog_path().display().to_string()
}

/// Opens the catalogue, and undoes the end of a move that was interrupted before the data directory referred to the target.
async fn open_source(
    data: &DataDir,
    attached: Option<&ExternalDatabase>,
    environment: &Environment,
) -> Result<Catalog, StartError> {
    let (catalog, store_id) = if let Some(database) = attached {
        (database.connect(true).await?, database.store_id())
    } else {
        data.check_library()?;
        data.check_served()?;
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

/// Opens the file of an interrupted move, or a new one.
async fn open_file(
    data: &DataDir,
    source: &Catalog,
    attached: Option<&ExternalDatabase>,
) -> Result<Target, MigrationError> {
    let Some(attached) = attached else { return Err(MigrationError::SamePlace(file_name(data))) };
    let own = ExternalDatabase::host(data)?.unwrap_or_default();
    let others = source.hosts().await?.into_iter().filter(|host| host.is_live && host.name != own);
    let others: Vec<String> = others.map(|host| host.name).collect();
    if !others.is_empty() {
        return Err(MigrationError::SeveralServers(others));
    }
    let staged = data.path().join(STAGED);
    if !is_moving_to_file(data, attached.url())? {
        remove_catalog(&staged)?;
    }
    announce_next(data, attached.url(), "")?;
    let catalog = match Catalog::open_sqlite(&staged).await {
        Err(error) if error.is_damage() => {
            remove_catalog(&staged)?;
            Catalog::open_sqlite(&staged).await?
        }
        opened => opened?,
    };
    Ok(Target { catalog, store_id: String::new(), name: file_name(data) })
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
    catalog.reinstate(&store_id).await?;
    Ok(Target { catalog, store_id, name })
}
