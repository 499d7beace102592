//! The library in the data directory, as `jingku serve` and the operator's commands open it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jingku_library::{Config, DataDir, DatabaseUrl, Environment, KeyPair, Library, StartError};
use secrecy::SecretString;

use crate::args::Global;
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::messages::tr;

/// Opens the library, which must exist: reading should not create it. The master key is not needed.
pub(crate) async fn open(global: &Global) -> Result<Library, Failure> {
    open_with(global, &Config::default()).await
}

/// Does the same with the server's configuration.
pub(crate) async fn open_with(global: &Global, config: &Config) -> Result<Library, Failure> {
    Ok(Library::open_library(&open_data_dir(global)?, config, &environment()).await?)
}

/// Opens the data directory, which must exist.
pub(crate) fn open_data_dir(global: &Global) -> Result<DataDir, Failure> {
    let path = data_dir(global)?;
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::new(Exit::NotThere, tr!("operate-no-data-dir", path))
                .advise(&hint::start_a_server(global)))
        }
        Err(error) => Err(Failure::file(Exit::Fault, &path)(error)),
        Ok(_) => Ok(DataDir::open(&path)?),
    }
}

/// Opens the data directory or creates it. Account 1 is the installation's own, even if the first command on a new
/// directory is not `serve`.
pub(crate) async fn open_or_create(global: &Global, config: &Config) -> Result<Library, Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    data.check_served()?;
    let library = Library::open(&data, config, &environment()).await?;
    if !library.is_read_only() && library.accounts().await?.is_empty() {
        library.ensure_first_account(&data, first_key()?.as_ref()).await?;
    }
    Ok(library)
}

/// Does the same, but needs the master key only for the first account.
pub(crate) async fn open_or_create_without_keys(
    global: &Global,
    config: &Config,
) -> Result<Library, Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    match Library::open_library(&data, config, &environment()).await {
        Err(StartError::NoLibrary(_)) => open_or_create(global, config).await,
        Ok(library) if library.accounts().await?.is_empty() => open_or_create(global, config).await,
        opened => Ok(opened?),
    }
}

pub(crate) fn read_config(path: Option<&Path>) -> Result<Config, Failure> {
    // An empty variable counts as unset.
    let path = path.filter(|path| !path.as_os_str().is_empty());
    Ok(path.map(Config::read).transpose()?.unwrap_or_default())
}

pub(crate) fn environment() -> Environment {
    let master_key = variable("JINGKU_MASTER_KEY").map(SecretString::from);
    let database = variable("JINGKU_DATABASE").map(DatabaseUrl::new);
    // Where libpq looks for passwords.
    let password_file = std::env::var_os("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let password_file = password_file.or_else(|| Some(std::env::home_dir()?.join(".pgpass")));
    Environment { master_key, database, password_file, ..Environment::default() }
}

/// The first account's key pair, if the environment sets one.
pub(crate) fn first_key() -> Result<Option<KeyPair>, Failure> {
    match (variable("JINGKU_PUBLIC_KEY"), variable("JINGKU_PRIVATE_KEY")) {
        (None, None) => Ok(None),
        (Some(public_key), Some(private_key)) => {
            Ok(Some(KeyPair { public_key, private_key: SecretString::from(private_key) }))
        }
        _ => Err(Failure::new(Exit::Usage, tr!("serve-keys-incomplete"))),
    }
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}
