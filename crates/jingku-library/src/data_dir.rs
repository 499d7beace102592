//! The data folder: what lies where, and who may use it.
//!
//! ```text
//! catalog.db        everything known
//! store/            the bits of images
//! scratch/          copies of disks that only qemu-img can read, while they are read
//! uploads/          files on their way in, which images are to be made of
//! authority/        the certificate authority of `jingku run`
//! demo/             disks to try everything on
//! master.key        seals the private keys, unless JINGKU_MASTER_KEY does
//! node              this server's name, which its jobs carry
//! credentials.toml  the first account's key pair, for client commands on this machine
//! endpoint          base URL of the server that ran last
//! serve.lock        held by the running server
//! reserve           room to delete images when the disk is full
//! restoring         there while a backup is put back
//! scrub             how far the server is with reading everything
//! sweep             when the store was swept last
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jingku_catalog::{Catalog, CatalogError};
use jingku_chunks::{Disk, Store};
use rustix::fs::Access;
use rustix::io::Errno;
use secrecy::{ExposeSecret, SecretString};

use crate::blocking;
use crate::keyring::{Keyring, MASTER_KEY_BYTES, WrongMasterKey};
use crate::private::{self, NotPrivate};
use crate::random::{Random, unique_id};
use crate::sentence::clause;
use crate::text_file::read_text;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system refused.
    #[error("Cannot use {}: {}.", path.display(), clause(source))]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another server runs on it.
    #[error("Another jingku server uses the data folder {}. Stop it, or give this one a folder of its own.", .0.display())]
    InUse(PathBuf),
    /// A backup was being put back into it.
    #[error("A backup was being put back into {}, and it did not come to its end. Call `jingku restore` again.", .0.display())]
    Restoring(PathBuf),
    /// Others may look into it, which this user cannot change.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// There has never been a library in it, or its disk is not mounted.
    #[error(
        "There is no library in {}: it has no catalog.db. Is its disk mounted, and is --data-dir right? Nothing was created.",
        .0.display()
    )]
    NoLibrary(PathBuf),
    /// The catalogue is gone, and the images are there.
    #[error(
        "The catalogue {} is gone or empty, and the store has images that it knew. Nothing was changed. Put the file back, or make another data folder of a backup with `jingku restore`; to begin anew, move the folder `store` away.",
        .0.display()
    )]
    CatalogLost(PathBuf),
    /// The catalogue is gone, and what a server writes beside it is there.
    #[error(
        "The catalogue {} is gone, and its log is there: a server may still run on it. Nothing was changed. Stop the server and put the file back, or make another data folder of a backup with `jingku restore`; to begin anew, move the log away too.",
        .0.display()
    )]
    CatalogGone(PathBuf),
    /// The catalogue is a link.
    #[error(
        "The catalogue {} is a link, and its log lies beside the link or beside the file, by who writes it. Nothing was changed. Stop the server and put the file itself there; to have it on another disk, link the data folder.",
        .0.display()
    )]
    CatalogLinked(PathBuf),
    /// A server runs, and what it writes beside the catalogue is gone.
    #[error(
        "A server runs on this folder, and {}, which it writes, is gone. Nothing was changed. Put the file back, or stop the server, which then writes what it knows into catalog.db.",
        .0.display()
    )]
    LogGone(PathBuf),
    /// The master key is not what it should be.
    #[error("The master key {0} is wrong: it must be 64 hexadecimal digits.")]
    MasterKey(String),
    /// The master key does not open the private keys that are there.
    #[error(transparent)]
    WrongMasterKey(#[from] WrongMasterKey),
    /// The catalogue cannot be opened.
    #[error("Cannot open the catalogue: {}.{}", with_causes(.0), way_back(.0))]
    Catalog(#[from] CatalogError),
    /// The chunk store cannot be opened.
    #[error("Cannot open the chunk store: {}.", clause(.0))]
    Store(#[from] jingku_chunks::Error),
}

/// The file that marks a folder as unfinished.
pub(crate) const RESTORING: &str = "restoring";

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    clause(&text)
}

/// What to do about a catalogue whose file is not what was written or cannot be written; nothing about other errors.
pub(crate) fn way_back(error: &CatalogError) -> &'static str {
    if matches!(error, CatalogError::ReadOnly) {
        " The data folder cannot be written to; nothing was changed."
    } else if error.is_damage() {
        " Stop the server, keep the folder as it is, and put a backup back into another one: `jingku restore`."
    } else {
        ""
    }
}

/// A data folder.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Opens the folder, or creates it. It is for its owner only afterwards, with all that is in it, unless this process
    /// cannot write to it: then nothing is changed.
    pub fn open_or_create(path: &Path) -> Result<Self, StartError> {
        match Self::open(path) {
            Ok(data) if !data.is_writable() => Ok(data),
            _ => Ok(Self(private::open_or_create(path, is_ours)?)),
        }
    }

    /// Opens the folder, which must exist, and changes nothing.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Io { path: path.to_owned(), source };
        let path = path.canonicalize().map_err(failed)?;
        std::fs::read_dir(&path).map_err(failed)?;
        Ok(Self(path))
    }

    /// Whether this process may change what is in it: not on a read-only disk, nor when it belongs to another user.
    pub fn is_writable(&self) -> bool {
        let refused = |path: PathBuf| {
            let may = rustix::fs::access(path, Access::WRITE_OK);
            matches!(may, Err(Errno::ROFS | Errno::ACCESS | Errno::PERM))
        };
        ![self.0.clone(), self.catalog_path(), self.0.join("store")].into_iter().any(refused)
    }

    /// Refuses a folder that has no library.
    pub(crate) fn check_library(&self) -> Result<(), StartError> {
        self.check_whole()?;
        self.check_catalog()?;
        match self.catalog_path().metadata() {
            Ok(file) if file.len() > 0 => Ok(()),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StartError::Io { path: self.catalog_path(), source })
            }
            _ => Err(StartError::NoLibrary(self.0.clone())),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Refuses a folder that a backup is being put back into.
    pub(crate) fn check_whole(&self) -> Result<(), StartError> {
        if self.0.join(RESTORING).exists() { Err(StartError::Restoring(self.0.clone())) } else { Ok(()) }
    }

    /// Refuses a folder whose catalogue is gone while its store is not: a new catalogue would know of no image, and a
    /// sweep remove them all.
    pub(crate) fn check_catalog(&self) -> Result<(), StartError> {
        let path = self.catalog_path();
        // SQLite would name the log after the file that the link leads to.
        if path.is_symlink() {
            return Err(StartError::CatalogLinked(path));
        }
        if !Catalog::is_blank_sqlite(&path) {
            return Ok(());
        }
        // What a command would write into a new file, a server that has the old one open would never see.
        if !path.exists() && path.with_extension("db-wal").exists() {
            return Err(StartError::CatalogGone(path));
        }
        let manifests = self.0.join("store/manifests");
        let fans = std::fs::read_dir(manifests).into_iter().flatten().flatten();
        let mut objects = fans.filter_map(|fan| std::fs::read_dir(fan.path()).ok()).flatten().flatten();
        if objects.next().is_some() { Err(StartError::CatalogLost(path)) } else { Ok(()) }
    }

    /// The catalogue's file.
    pub(crate) fn catalog_path(&self) -> PathBuf {
        self.0.join("catalog.db")
    }

    /// Opens the chunk store. Creates it where no image needs it yet: one that is missing otherwise may be on a disk that
    /// is not mounted.
    pub(crate) fn store(&self, needed: bool) -> Result<Store, StartError> {
        let path = self.0.join("store");
        let disk = match Disk::open(&path) {
            Err(jingku_chunks::Error::UnknownFormat { found, .. }) if found.is_empty() && !needed => {
                Disk::create(&path)?
            }
            opened => opened?,
        };
        #[cfg(debug_assertions)]
        let disk = crate::failpoint::Reaching(disk);
        Ok(Store::new(disk))
    }

    /// Opens the chunk store, which must exist, for reading.
    pub(crate) fn store_read_only(&self) -> Result<Store, StartError> {
        Ok(Store::new(Disk::open_read_only(self.0.join("store"))?))
    }

    /// Opens the objects of the chunk store, which must exist.
    pub(crate) fn objects(&self) -> Result<Disk, StartError> {
        let path = self.0.join("store");
        Ok(if self.is_writable() { Disk::open(path)? } else { Disk::open_read_only(path)? })
    }

    /// A folder inside, for its owner only.
    pub(crate) fn create_folder(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.0.join(name);
        let failed = |source| StartError::Io { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed)?;
        Ok(path)
    }

    /// Whether the folder has a master key of its own.
    pub(crate) fn has_master_key(&self) -> bool {
        self.0.join("master.key").exists()
    }

    /// The keyring under the master key given, or under the one of this folder, made on first use.
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

    /// This server's name.
    pub(crate) fn node(&self, random: &dyn Random) -> Result<String, StartError> {
        self.kept("node", || unique_id(random))
    }

    /// Leaves the base URL for client commands on this machine.
    pub fn write_endpoint(&self, base_url: &str) -> Result<(), StartError> {
        self.replace("endpoint", base_url)
    }

    /// Base URL of the server that ran last; `None` when none has.
    pub fn endpoint(&self) -> Result<Option<String>, StartError> {
        let path = self.0.join("endpoint");
        match std::fs::read_to_string(&path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            read => {
                let text = read.map_err(|source| StartError::Io { path, source })?;
                Ok(Some(text.trim().to_owned()))
            }
        }
    }

    /// The file with the first account's key pair.
    pub fn credentials_path(&self) -> PathBuf {
        self.0.join("credentials.toml")
    }

    /// Writes a small file as a whole, for its owner only, replacing what was there.
    pub(crate) fn replace(&self, name: &str, text: &str) -> Result<(), StartError> {
        let path = self.0.join(name);
        let staged = self.0.join(format!(".{name}.new"));
        let write = || {
            let mut file = private().create(true).truncate(true).write(true).open(&staged)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            std::fs::rename(&staged, &path)?;
            File::open(&self.0)?.sync_all()
        };
        blocking::in_place(write).map_err(|source| StartError::Io { path: path.clone(), source })
    }

    /// The text of a file that is made once and then kept. Of two processes that make it at once, both get the text
    /// of the first.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> Result<String, StartError> {
        let path = self.0.join(name);
        let failed = |source| StartError::Io { path: path.clone(), source };
        if !path.exists() {
            let text = make();
            let staged = self.0.join(format!(".{name}.{}", std::process::id()));
            let stage = || {
                let mut file = private().create(true).truncate(true).write(true).open(&staged)?;
                writeln!(file, "{text}")?;
                file.sync_all()?;
                // A link refuses to replace, which a rename would not.
                let linked = std::fs::hard_link(&staged, &path);
                std::fs::remove_file(&staged)?;
                match linked {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                    linked => linked.and_then(|()| File::open(&self.0)?.sync_all()),
                }
            };
            stage().map_err(failed)?;
        }
        Ok(read_text(&path).map_err(failed)?.trim().to_owned())
    }
}

/// Whether an entry of a data folder is Jingku's: one of these, or what belongs to it, such as `catalog.db-wal` or
/// `.endpoint.new`.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 16] = [
        "catalog.db",
        "store",
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
    ];
    let name = name.trim_start_matches('.');
    OURS.iter().any(|ours| {
        name.strip_prefix(ours).is_some_and(|rest| matches!(rest.get(..1), None | Some("." | "-")))
    })
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
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
    fn what_is_secret_is_for_the_owner_only() {
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
    fn names_and_keys_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        let random = SeededRandom::new(1);
        assert_eq!(data.node(&random).unwrap(), data.node(&random).unwrap());
        std::fs::write(data.path().join("master.key"), "short").unwrap();
        assert!(matches!(data.keyring(None, &random), Err(StartError::MasterKey(_))));
    }
}
