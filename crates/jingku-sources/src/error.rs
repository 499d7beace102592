//! Errors of disks, for the person who has to act.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::Foreign;
use crate::packing::PackedFault;

/// Why a disk could not be declared, opened or read.
///
/// Grouped by what to do. Every message is a full sentence: what happened, why, and what to do. Messages contain paths
/// of the host, so they are for its operator; the service decides what a tenant sees.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    // Declare another file, or change this one.
    /// This path does not exist.
    #[error("There is no file at {}. Check the path, and put the file back if it was moved.", .0.display())]
    NotFound(PathBuf),
    /// The file is not a disk, exceeds a limit, or uses an unsupported feature.
    /// The reason says what to do, without the full stop.
    #[error("{} cannot be used as a disk: {}.", .0.display(), clause(.1))]
    Unusable(PathBuf, String),
    /// The file is not a disk, or a disk in an unsupported format.
    #[error(
        "{} is not a raw or qcow2 disk: it looks like {}. {}If it is a raw disk all the same, say so with `--format raw`.",
        .0.display(), .1.name, advice(*.1)
    )]
    NotADisk(PathBuf, Foreign),
    /// The file is compressed and cannot be decompressed.
    #[error("{} cannot be unpacked: {}.", .0.display(), clause(.1))]
    Packed(PathBuf, PackedFault),
    /// The file is a qcow2 image with this inconsistency, without the full stop.
    #[error(
        "The qcow2 image {} is damaged: {}. Look at it with `qemu-img check`, and restore it from a copy if \
         that cannot repair it.",
        .0.display(), clause(.1)
    )]
    Damaged(PathBuf, String),

    /// The backing file that this qcow2 image names is refused.
    #[error("The backing file that {} names cannot be used. {}", .0.display(), .1)]
    Backing(PathBuf, #[source] Box<DiskError>),

    // Check the instance, and declare it again if it is right.
    /// This layer of the disk differs from its declaration: how, without the full stop.
    #[error("{} is not what it was when the instance was declared: {}. Declare the instance again.", .0.display(), clause(.1))]
    Redeclare(PathBuf, String),

    // Try again later.
    /// A QEMU process may be writing to this layer.
    #[error(
        "{} is in use: a running virtual machine may write to it, so a copy would mix two states. Stop the machine, \
         or take a snapshot and declare the file below it, then try again.",
        .0.display()
    )]
    InUse(PathBuf),
    /// This layer changed since it was opened, so what was read may mix two states.
    #[error(
        "{} changed while it was read, so the copy would mix two states. Stop what writes to it, then try again.",
        .0.display()
    )]
    Changed(PathBuf),

    /// The caller stopped opening the disk with this top layer.
    #[error("Opening {} was stopped before its end. Try again.", .0.display())]
    Stopped(PathBuf),

    // Fix the host.
    /// `qemu-img` is required and is missing, failed, or took too long.
    #[error("{} has to be read with qemu-img because of its {feature}, and {}.", path.display(), clause(why))]
    Converter {
        /// The top layer of the disk.
        path: PathBuf,
        /// The feature that only QEMU reads.
        feature: &'static str,
        /// What went wrong and what to do, without the full stop.
        why: String,
    },
    /// The operating system returned an error.
    #[error(
        "Could not {action} {}: {}. Check the permissions and the storage of this host, then try again.",
        path.display(), clause(source)
    )]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl DiskError {
    /// Refuses a file.
    pub fn unusable(path: &Path, why: impl Into<String>) -> DiskError {
        DiskError::Unusable(path.to_owned(), why.into())
    }

    pub(crate) fn packed(path: &Path, fault: PackedFault) -> DiskError {
        DiskError::Packed(path.to_owned(), fault)
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> DiskError {
        DiskError::Damaged(path.to_owned(), why.into())
    }

    /// Names the image whose backing file is refused. Errors that concern the whole disk stay as they are.
    pub(crate) fn named_by(self, image: &Path) -> DiskError {
        match self {
            DiskError::NotFound(_)
            | DiskError::Unusable(..)
            | DiskError::NotADisk(..)
            | DiskError::Packed(..)
            | DiskError::Damaged(..)
            | DiskError::Io { .. } => DiskError::Backing(image.to_owned(), Box::new(self)),
            DiskError::Backing { .. }
            | DiskError::Redeclare { .. }
            | DiskError::InUse { .. }
            | DiskError::Changed { .. }
            | DiskError::Stopped { .. }
            | DiskError::Converter { .. } => self,
        }
    }

    pub(crate) fn redeclare(path: &Path, why: impl Into<String>) -> DiskError {
        DiskError::Redeclare(path.to_owned(), why.into())
    }

    /// Returns a function for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        move |source| DiskError::Io { action, path: path.to_owned(), source }
    }

    /// As [`DiskError::io`], for a disk file that may be missing.
    pub(crate) fn opening(path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => DiskError::NotFound(path.to_owned()),
            _ => DiskError::io("open", path)(source),
        }
    }
}

fn advice(foreign: Foreign) -> String {
    match foreign.command {
        Some(command) => format!("Make a disk of it first: `{command}`. "),
        None => "Check that it is the right file. ".to_owned(),
    }
}

/// Formats an error for the middle of a sentence: without its full stop.
fn clause(error: &dyn std::fmt::Display) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches('.').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::Packing;

    #[test]
    fn no_message_ends_in_two_full_stops() {
        let path = || PathBuf::from("/disk");
        let why = || "it says why. ".to_owned();
        let io = || io::Error::other("it says why.");
        let missing = DiskError::NotFound(path());
        let errors = [
            DiskError::Unusable(path(), why()),
            DiskError::Damaged(path(), why()),
            DiskError::Redeclare(path(), why()),
            DiskError::InUse(path()),
            DiskError::Changed(path()),
            DiskError::Stopped(path()),
            DiskError::NotADisk(path(), Foreign { name: "a tar archive", command: Some("tar -xf FILE") }),
            DiskError::Packed(path(), PackedFault::Damaged(Packing::Gzip, why())),
            DiskError::Converter { path: path(), feature: "zstd", why: why() },
            DiskError::Io { action: "read", path: path(), source: io() },
            missing.named_by(Path::new("/top")),
        ];
        for error in errors {
            // The exhaustive match makes sure that a new variant is added above.
            match &error {
                DiskError::NotFound { .. }
                | DiskError::Unusable { .. }
                | DiskError::Damaged { .. }
                | DiskError::Backing { .. }
                | DiskError::Redeclare { .. }
                | DiskError::InUse { .. }
                | DiskError::Changed { .. }
                | DiskError::Stopped { .. }
                | DiskError::NotADisk { .. }
                | DiskError::Packed { .. }
                | DiskError::Converter { .. }
                | DiskError::Io { .. } => {}
            }
            let text = error.to_string();
            assert!(text.ends_with('.') && !text.contains("..") && !text.contains(". ."), "{text}");
        }
    }
}
