//! Folders that only their owner can access, because they hold disks, keys and image names.
//!
//! New files are 0600 and new folders 0700 regardless of the umask. This module restricts what existed before: a folder of an
//! administrator, a mount point, files of earlier versions.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::durable;
use crate::start_error::StartError;

/// Permissions of others than the owner.
const OTHERS: u32 = 0o077;
/// The sticky bit of a shared folder such as /tmp.
const STICKY: u32 = 0o1000;
/// An entry in the root of many file systems.
const LOST_FOUND: &str = "lost+found";
/// How deep a private folder is searched: down to the folders of objects, of which a store has hundreds. Such a folder is
/// searched only if others can access it. Its files are restricted before the folder itself, so a private folder is done,
/// and the cost of a start does not depend on the number of objects.
const DEPTH: u32 = 3;

/// Creates a folder and its parents if needed, and restricts the folder and its content to the owner. `ours` selects the
/// entries of Jingku by name; others are left alone. A folder on a read-only disk stays unchanged. Returns its canonical
/// path.
pub(crate) fn open_or_create(path: &Path, ours: impl Fn(&str) -> bool) -> Result<PathBuf, StartError> {
    let failed = StartError::io(path);
    durable::create_folder(path).map_err(&failed)?;
    let path = path.canonicalize().map_err(failed)?;
    make_private(&path, &ours)?;
    Ok(path)
}

fn make_private(path: &Path, ours: &dyn Fn(&str) -> bool) -> Result<(), StartError> {
    let failed = StartError::io(path);
    let folder = fs::metadata(path).map_err(&failed)?;
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(&failed)?;
    let (own, others): (Vec<_>, Vec<_>) = entries
        .iter()
        .map(DirEntry::path)
        .partition(|path| path.file_name().and_then(OsStr::to_str).is_some_and(ours));
    let mode = folder.mode() & 0o7777;
    if mode & OTHERS != 0 {
        if path.parent().is_none() || mode & STICKY != 0 {
            return Err(StartError::Everybodys(path.to_owned(), mode));
        }
        let used = own.is_empty() && others.iter().any(|path| !path.ends_with(LOST_FOUND));
        if used || is_home(path) {
            return Err(StartError::Shared(path.to_owned(), mode));
        }
        match tighten(path, &folder) {
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(StartError::NotOurs(path.to_owned(), mode));
            }
            tightened => tightened.map_err(failed)?,
        }
    }
    own.iter().try_for_each(|path| tighten_all(path, 1))
}

fn is_home(path: &Path) -> bool {
    let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    home.as_deref() == Some(path)
}

/// Restricts a file, or a folder and its content. What belongs to another user is skipped: the folder above is private.
fn tighten_all(path: &Path, depth: u32) -> Result<(), StartError> {
    let look = || {
        let found = path.symlink_metadata()?;
        let loose = found.mode() & OTHERS != 0;
        let looked_into = found.is_dir() && (loose || depth < DEPTH);
        let below =
            if looked_into { fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()? } else { Vec::new() };
        Ok((found, loose, below))
    };
    let skip = |error: &io::Error| {
        // Removed meanwhile, owned by another user, or on a read-only disk.
        matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        )
    };
    let failed = StartError::io(path);
    let (found, loose, below) = match look() {
        Err(error) if skip(&error) => return Ok(()),
        found => found.map_err(&failed)?,
    };
    below.iter().try_for_each(|entry| tighten_all(&entry.path(), depth + 1))?;
    if loose && (found.is_dir() || found.is_file()) {
        match tighten(path, &found) {
            Err(error) if skip(&error) => {}
            tightened => tightened.map_err(failed)?,
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
    fn an_open_folder_is_restricted_with_its_content() {
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
            open_or_create(&folder, |name| ["catalog.db", "store", "link"].contains(&name)).unwrap();
            for path in folders {
                assert_eq!(mode(path) & 0o777, 0o700, "{} of {loose:o}", path.display());
            }
        }
        assert_eq!(files.map(|file| mode(&file)), [0o600, 0o600]);
        assert_eq!(mode(&outside), 0o644, "links are not followed");
    }

    #[test]
    fn a_folder_with_other_content_is_refused_and_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let (folder, letter) = (scratch.path().join("letters"), scratch.path().join("letters/dear"));
        fs::create_dir(&folder).unwrap();
        fs::write(&letter, "reader").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        set(&letter, 0o644);
        for loose in [0o1777, 0o755] {
            set(&folder, loose);
            let refused = open_or_create(&folder, |name| name == "store");
            let expected = match &refused {
                Err(StartError::Everybodys(_, mode)) => (0o1777, *mode),
                Err(StartError::Shared(_, mode)) => (0o755, *mode),
                _ => (0, 0),
            };
            assert_eq!(expected, (loose, loose), "{refused:?}");
            assert_eq!((mode(&folder), mode(&letter)), (loose, 0o644));
        }
        // With a library in it, or if it is private already, the folder is accepted and other content left alone.
        fs::create_dir(folder.join("store")).unwrap();
        open_or_create(&folder, |name| name == "store").unwrap();
        assert_eq!((mode(&folder), mode(&letter)), (0o700, 0o644));
        // A mount point.
        let mount = scratch.path().join("mount");
        fs::create_dir_all(mount.join("lost+found")).unwrap();
        set(&mount, 0o755);
        open_or_create(&mount, |_| false).unwrap();
        assert_eq!(mode(&mount), 0o700);
    }
}
