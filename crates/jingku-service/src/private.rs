//! Folders that nobody but their owner may look into: they hold disks, keys and the names of everybody's images.
//!
//! New files are 0600 and new folders 0700 whatever the umask. This module is for what was there before: a folder that an
//! administrator made, a mount point, files of earlier versions.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What others than the owner may do.
const OTHERS: u32 = 0o077;
/// The sticky bit: a folder such as /tmp, in which everybody keeps something.
const STICKY: u32 = 0o1000;
/// How deep a private folder is looked through: down to the list of the folders of objects, of which a store has hundreds.
/// Such a folder is looked through only when others may look into it. Its files are made private first and the folder
/// last, so one that is private has been done, and a start costs the same however many objects there are.
const DEPTH: u32 = 3;

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    /// Others may look into it, and this user may not change that.
    #[error("Other users can read {} (mode {mode:o}), and it belongs to another user. Run `chmod 700 {}` as its owner.", path.display(), path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is the root, a home, or a folder that everybody uses.
    #[error(
        "Other users can read {} (mode {mode:o}), and it is not for Jingku alone. Choose a folder of its own, such as {}.",
        path.display(), path.join("jingku").display()
    )]
    Shared {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system refused.
    #[error("Cannot use {}: {source}.", path.display())]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Creates a folder with those above it, unless it is there, and sees to it that nobody else may look into it nor at what
/// is in it already. A folder on a read-only disk stays as it is. Returns its canonical path.
pub(crate) fn open_or_create(path: &Path) -> Result<PathBuf, NotPrivate> {
    let failed = |source| NotPrivate::Io { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let path = path.canonicalize().map_err(failed)?;
    make_private(&path)?;
    Ok(path)
}

fn make_private(path: &Path) -> Result<(), NotPrivate> {
    let failed = |source| NotPrivate::Io { path: path.to_owned(), source };
    let folder = fs::metadata(path).map_err(failed)?;
    let mode = folder.mode() & 0o7777;
    if mode & OTHERS != 0 {
        if is_shared(path, &folder) {
            return Err(NotPrivate::Shared { path: path.to_owned(), mode });
        }
        match tighten(path, &folder) {
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(NotPrivate::NotOurs { path: path.to_owned(), mode });
            }
            tightened => tightened.map_err(failed)?,
        }
    }
    tighten_below(path, 1)
}

/// Whether a folder is used for other things too, so that its permissions are not ours to change.
fn is_shared(path: &Path, folder: &Metadata) -> bool {
    let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    path.parent().is_none() || home.as_deref() == Some(path) || folder.mode() & STICKY != 0
}

/// Makes private what this user owns below a folder. The rest nobody can reach: the folder above is private.
fn tighten_below(folder: &Path, depth: u32) -> Result<(), NotPrivate> {
    let failed = |path: &Path, source| NotPrivate::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::NotFound) => {
            return Ok(());
        }
        entries => entries.map_err(|source| failed(folder, source))?,
    };
    for entry in entries {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        let entry = match path.symlink_metadata() {
            // Another process is at work in the folder.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entry => entry.map_err(|source| failed(&path, source))?,
        };
        let loose = entry.mode() & OTHERS != 0;
        if entry.is_dir() && (loose || depth < DEPTH) {
            tighten_below(&path, depth + 1)?;
        }
        if loose && (entry.is_dir() || entry.is_file()) {
            match tighten(&path, &entry) {
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                    ) => {}
                tightened => tightened.map_err(|source| failed(&path, source))?,
            }
        }
    }
    Ok(())
}

fn tighten(path: &Path, found: &Metadata) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777 & !OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn a_loose_folder_is_made_private_with_what_is_in_it() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("data");
        let fan = folder.join("store/chunks/ab");
        fs::create_dir_all(&fan).unwrap();
        let files = [folder.join("catalog.db"), fan.join("abcd")];
        for file in &files {
            fs::write(file, "disk").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        let outside = scratch.path().join("outside");
        fs::write(&outside, "mine").unwrap();
        fs::set_permissions(&outside, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        for loose in [0o755, 0o2775, 0o711] {
            let folders = [&folder, &folder.join("store"), &folder.join("store/chunks"), &fan];
            for path in folders {
                fs::set_permissions(path, Permissions::from_mode(loose)).unwrap();
            }
            open_or_create(&folder).unwrap();
            for path in folders {
                assert_eq!(mode(path) & 0o777, 0o700, "{} of {loose:o}", path.display());
            }
        }
        assert_eq!(files.map(|file| mode(&file)), [0o600, 0o600]);
        assert_eq!(mode(&outside), 0o644, "a link leads elsewhere");
    }

    #[test]
    fn a_folder_that_everybody_uses_is_refused_and_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o1777)).unwrap();
        let refused = open_or_create(scratch.path());
        assert!(matches!(refused, Err(NotPrivate::Shared { mode: 0o1777, .. })), "{refused:?}");
        assert_eq!(mode(scratch.path()), 0o1777);
        assert!(is_shared(Path::new("/"), &fs::metadata("/").unwrap()));
    }
}
