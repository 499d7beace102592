//! The data directory: its files, and who may use it.
//!
//! ```text
//! catalog.db        the catalogue, unless it is in a database
//! database          the database that has the catalogue
//! store/            the data of images, unless it is in a bucket
//! storage           the bucket that has the data of images
//! scratch/          temporary copies of disks that only qemu-img can read
//! uploads/          uploaded files that are not images yet
//! authority/        the certificate authority of `jingku run`
//! demo/             demo disks
//! master.key        seals the private keys, unless JINGKU_MASTER_KEY does
//! node              the name of this server, recorded in its jobs
//! credentials.toml  the first account's key pair, for client commands on this machine
//! endpoint          base URL of the server that ran last
//! serve.lock        locked by the running server
//! migrate.lock      locked by a running move of the catalogue or of images
//! reserve           space for deleting images when the disk is full
//! restoring         exists while a backup is restored
//! scrub             progress of the scrub
//! sweep             the last sweep
//! migration         progress of moving the data of images
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jingku_catalog::Catalog;
use jingku_chunks::{Disk, Store};
use rustix::fs::Access;
use rustix::io::Errno;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk_store::store;
use crate::keyring::{Keyring, MASTER_KEY_BYTES};
use crate::random::{Random, unique_id};
use crate::start_error::StartError;
use crate::text_file::read_text;
use crate::{blocking, durable, private};

/// The file that marks an incomplete restore.
pub(crate) const RESTORING: &str = "restoring";

/// The file of the store that says where the images are, if they are not in it.
const ELSEWHERE: &str = "store/elsewhere";

/// A data directory.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Opens the folder, or creates it. Restricts it and its content to the owner. Changes nothing if this process cannot
    /// write to it.
    pub fn open_or_create(path: &Path) -> Result<Self, StartError> {
        match Self::open(path) {
            Ok(data) if !data.is_writable() => Ok(data),
            _ => Ok(Self(private::open_or_create(path, is_ours)?)),
        }
    }

    /// Opens an existing folder and changes nothing.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let failed = StartError::io(path);
        let path = path.canonicalize().map_err(&failed)?;
        std::fs::read_dir(&path).map_err(failed)?;
        Ok(Self(path))
    }

    /// Whether this process may write to it.
    pub fn is_writable(&self) -> bool {
        let refused = |path: PathBuf| {
            let may = rustix::fs::access(path, Access::WRITE_OK);
            matches!(may, Err(Errno::ROFS | Errno::ACCESS | Errno::PERM))
        };
        ![self.0.clone(), self.catalog_path(), self.0.join("store")].into_iter().any(refused)
    }

    /// Refuses a folder without a library.
    pub(crate) fn check_library(&self) -> Result<(), StartError> {
        self.check_whole()?;
        self.check_catalog()?;
        let path = self.catalog_path();
        let file = durable::if_found(path.metadata()).map_err(StartError::io(path))?;
        let has_library = file.is_some_and(|file| file.len() > 0);
        if has_library { Ok(()) } else { Err(StartError::NoLibrary(self.0.clone())) }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Refuses a folder with an incomplete restore.
    pub(crate) fn check_whole(&self) -> Result<(), StartError> {
        if self.0.join(RESTORING).exists() { Err(StartError::Restoring(self.0.clone())) } else { Ok(()) }
    }

    /// Refuses a folder that has a store but no catalogue: a new catalogue would know no image, and a sweep would remove all
    /// data.
    pub(crate) fn check_catalog(&self) -> Result<(), StartError> {
        let path = self.catalog_path();
        // SQLite names the log after the target of the link.
        if path.is_symlink() {
            return Err(StartError::CatalogLinked(path));
        }
        if !Catalog::is_blank_sqlite(&path) {
            return Ok(());
        }
        // A running server that has the old file open would not see changes to a new one.
        if !path.exists() && path.with_extension("db-wal").exists() {
            return Err(StartError::CatalogGone(path));
        }
        if self.has_manifests() { Err(StartError::CatalogLost(path)) } else { Ok(()) }
    }

    /// Whether the store has the manifest of an image.
    pub(crate) fn has_manifests(&self) -> bool {
        let manifests = self.0.join("store/manifests");
        let fans = std::fs::read_dir(manifests).into_iter().flatten().flatten();
        fans.filter_map(|fan| std::fs::read_dir(fan.path()).ok()).flatten().flatten().next().is_some()
    }

    /// Whether there is a catalogue in a file.
    pub(crate) fn has_catalog(&self) -> bool {
        !Catalog::is_blank_sqlite(&self.catalog_path())
    }

    pub(crate) fn catalog_path(&self) -> PathBuf {
        self.0.join("catalog.db")
    }

    /// Opens the chunk store. Creates it only if no image needs it: a missing store may be on a disk that is not mounted.
    pub(crate) fn store(&self, needed: bool) -> Result<Store, StartError> {
        self.check_store()?;
        let path = self.0.join("store");
        let disk = match Disk::open(&path) {
            Err(jingku_chunks::Error::UnknownFormat { found, .. }) if found.is_empty() && !needed => {
                Disk::create(&path)?
            }
            opened => opened?,
        };
        Ok(store(disk))
    }

    pub(crate) fn store_read_only(&self) -> Result<Store, StartError> {
        self.check_store()?;
        Ok(Store::new(Disk::open_read_only(self.0.join("store"))?))
    }

    fn check_store(&self) -> Result<(), StartError> {
        let store = || self.0.join("store").display().to_string();
        let moved = |place| StartError::StoreElsewhere { store: store(), place };
        self.store_elsewhere()?.map_or(Ok(()), |place| Err(moved(place)))
    }

    /// Where the images are, if they are not in the folder `store`: they were moved, or are being moved there.
    pub(crate) fn store_elsewhere(&self) -> Result<Option<String>, StartError> {
        let path = self.0.join(ELSEWHERE);
        let place = durable::if_found(std::fs::read_to_string(&path)).map_err(StartError::io(path))?;
        Ok(place.map(|place| place.trim().to_owned()))
    }

    /// Records where the images are; `None` for in the folder `store`, which exists.
    pub(crate) fn set_store_elsewhere(&self, place: Option<&str>) -> Result<(), StartError> {
        place.map_or_else(|| self.remove(ELSEWHERE), |place| self.replace(ELSEWHERE, place))
    }

    /// Removes a small file durably, if it exists.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StartError> {
        let path = self.0.join(name);
        let remove =
            || durable::if_found(std::fs::remove_file(&path)).and_then(|_| durable::sync_parent(&path));
        blocking::in_place(remove).map_err(StartError::io(&path))
    }

    /// Creates a folder inside, for the owner only.
    pub(crate) fn create_folder(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.0.join(name);
        durable::create_folder(&path).map_err(StartError::io(&path))?;
        Ok(path)
    }

    pub(crate) fn has_master_key(&self) -> bool {
        self.0.join("master.key").exists()
    }

    /// The keyring of the given master key, or of the key in this folder, which is created on first use.
    pub(crate) fn keyring(
        &self,
        given: Option<&SecretString>,
        random: &dyn Random,
    ) -> Result<Keyring, StartError> {
        if let Some(given) = given {
            let key = parse_master_key(given.expose_secret());
            return key.map(Keyring::new).ok_or_else(|| StartError::MasterKey("JINGKU_MASTER_KEY".into()));
        }
        let text = SecretString::from(self.kept("master.key", || {
            let mut key = [0; MASTER_KEY_BYTES];
            random.fill(&mut key);
            hex::encode(key)
        })?);
        let wrong = || StartError::MasterKey(self.0.join("master.key").display().to_string());
        parse_master_key(text.expose_secret()).map(Keyring::new).ok_or_else(wrong)
    }

    pub(crate) fn node(&self, random: &dyn Random) -> Result<String, StartError> {
        self.kept("node", || unique_id(random))
    }

    /// Records the base URL for client commands on this machine.
    pub fn write_endpoint(&self, base_url: &str) -> Result<(), StartError> {
        self.replace("endpoint", base_url)
    }

    /// Base URL of the server that ran last; `None` if none has.
    pub fn endpoint(&self) -> Result<Option<String>, StartError> {
        let path = self.0.join("endpoint");
        let text = durable::if_found(std::fs::read_to_string(&path)).map_err(StartError::io(path))?;
        Ok(text.map(|text| text.trim().to_owned()))
    }

    /// The file with the key pair of the first account.
    pub fn credentials_path(&self) -> PathBuf {
        self.0.join("credentials.toml")
    }

    /// Replaces a small file as a whole, readable by the owner only.
    pub(crate) fn replace(&self, name: &str, text: &str) -> Result<(), StartError> {
        let path = self.0.join(name);
        let write = || durable::replace(&path, format!("{text}\n").as_bytes());
        blocking::in_place(write).map_err(StartError::io(&path))
    }

    /// The saved state of a maintenance task; `None` if it cannot be read.
    pub(crate) fn state<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = blocking::in_place(|| std::fs::read_to_string(self.path().join(name))).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Saves the state of a maintenance task as JSON. Losing it costs only time.
    pub(crate) fn keep_state<T: Serialize>(&self, name: &str, state: &T) {
        let text = serde_json::to_string(state).expect("states serialise");
        // A full disk is reported elsewhere.
        if let Err(error) = self.replace(name, &text) {
            tracing::warn!(error = &error as &dyn Error, "cannot save the state of a maintenance task");
        }
    }

    /// The text of a file that is created once. If two processes create it at the same time, both read the text of the
    /// first.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> Result<String, StartError> {
        let path = self.0.join(name);
        let failed = StartError::io(&path);
        if !path.exists() {
            let create = || {
                let mut staged =
                    tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(&self.0)?;
                writeln!(staged, "{}", make())?;
                staged.as_file().sync_all()?;
                match staged.persist_noclobber(&path) {
                    Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                    Err(error) => Err(error.error),
                    Ok(_) => durable::sync_folder(&self.0),
                }
            };
            create().map_err(&failed)?;
        }
        Ok(read_text(&path).map_err(failed)?.trim().to_owned())
    }
}

/// Whether an entry of a data directory belongs to Jingku: one of these names, or a name derived from one, such as
/// `catalog.db-wal` or `.endpoint.new`.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 19] = [
        "catalog.db",
        "database",
        "store",
        "storage",
        "scratch",
        "uploads",
        "authority",
        "demo",
        "master.key",
        "node",
        "credentials.toml",
        "endpoint",
        "serve.lock",
        "reserve",
        "clock",
        RESTORING,
        "scrub",
        "sweep",
        "migration",
    ];
    let name = name.trim_start_matches('.');
    OURS.iter().any(|ours| {
        name.strip_prefix(ours).is_some_and(|rest| matches!(rest.get(..1), None | Some("." | "-")))
    })
}

/// The master key in the text of its file.
pub(crate) fn parse_master_key(text: &str) -> Option<[u8; MASTER_KEY_BYTES]> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn secrets_are_readable_by_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(&folder.path().join("data")).unwrap();
        data.keyring(None, &SeededRandom::new(1)).unwrap();
        data.replace("credentials.toml", "secret").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&data.path().join("master.key")), 0o600);
        assert_eq!(mode(&data.credentials_path()), 0o600);
    }

    #[test]
    fn the_node_name_and_the_master_key_persist() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        let random = SeededRandom::new(1);
        assert_eq!(data.node(&random).unwrap(), data.node(&random).unwrap());
        std::fs::write(data.path().join("master.key"), "short").unwrap();
        assert!(matches!(data.keyring(None, &random), Err(StartError::MasterKey(_))));
    }
}
