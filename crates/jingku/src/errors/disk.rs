//! What is wrong with a disk file, and what is odd about one that is accepted.

use jingku_library::{Caution, DiskError, PackedFault};

use super::{Explained, localized};
use crate::failure::{Exit, clause};
use crate::messages::tr;

/// The exit code is that of an export.
impl Explained for DiskError {
    fn explain(&self) -> (Exit, String) {
        (Exit::Fault, chinese(self))
    }
}

fn chinese(error: &DiskError) -> String {
    match error {
        DiskError::NotFound(path) => tr!("errors-disk-missing", path),
        DiskError::Backing(image, source) => {
            tr!("errors-disk-backing", path = image, error = chinese(source))
        }
        DiskError::Unusable(path, why) => tr!("errors-disk-unusable", path, error = clause(why)),
        DiskError::NotADisk(path, foreign) => {
            let kind = kind(foreign.name);
            match foreign.command {
                Some(command) => {
                    tr!("errors-disk-foreign-convert", path, kind, command)
                }
                None => tr!("errors-disk-foreign", path, kind),
            }
        }
        DiskError::Packed(path, fault) => {
            tr!("errors-disk-packed", path, error = packed_fault(fault))
        }
        DiskError::Damaged(path, why) => tr!("errors-disk-damaged", path, error = clause(why)),
        DiskError::Redeclare(path, why) => tr!("errors-disk-redeclare", path, error = clause(why)),
        DiskError::InUse(path) => tr!("errors-disk-in-use", path),
        DiskError::Stopped(path) => tr!("errors-disk-stopped", path),
        DiskError::Changed(path) => tr!("errors-disk-changed", path),
        DiskError::Converter { path, feature, why } => {
            tr!("errors-disk-converter", path, feature, error = clause(why))
        }
        DiskError::Io { path, source, .. } => tr!("errors-disk-io", path, error = clause(source)),
    }
}

/// What to say about an odd disk.
pub(crate) fn caution(caution: &Caution) -> String {
    let chinese = match caution {
        Caution::NoStructure => tr!("errors-caution-no-structure"),
        Caution::Holds(name) => tr!("errors-caution-holds", kind = kind(name)),
    };
    localized(caution, chinese)
}

fn packed_fault(fault: &PackedFault) -> String {
    match fault {
        PackedFault::EndsEarly(packing) => tr!("errors-packed-ends-early", packing = packing.name()),
        PackedFault::Followed(packing, at) => tr!("errors-packed-followed", packing = packing.name(), at),
        PackedFault::Damaged(packing, why) => {
            tr!("errors-packed-damaged", packing = packing.name(), error = why)
        }
        PackedFault::NeedsDictionary(id) => tr!("errors-packed-dictionary", id = id.to_string()),
        PackedFault::NeedsMemory(bytes) => tr!("errors-packed-memory", megabytes = bytes >> 20),
        PackedFault::Empty => tr!("errors-packed-empty"),
        PackedFault::TooLarge(bytes) => tr!("errors-packed-too-large", gigabytes = bytes >> 30),
    }
}

/// The Chinese for a kind of file; the names of formats stay as they are.
fn kind(name: &str) -> String {
    match name {
        "a tar archive" => tr!("errors-kind-tar"),
        "a zip archive" => tr!("errors-kind-zip"),
        "a 7z archive" => tr!("errors-kind-7z"),
        "a rar archive" => tr!("errors-kind-rar"),
        "a cpio archive" => tr!("errors-kind-cpio"),
        "an OVA archive" => tr!("errors-kind-ova"),
        "an HTML page" => tr!("errors-kind-html"),
        "an XML document" => tr!("errors-kind-xml"),
        "a JSON document" => tr!("errors-kind-json"),
        "plain text" => tr!("errors-kind-text"),
        "a script" => tr!("errors-kind-script"),
        name => name.trim_start_matches("an ").trim_start_matches("a ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use jingku_library::LibraryError;

    use super::super::tests::assert_one_stop;
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let path = || PathBuf::from("/disk");
        let why = || "it says why. ".to_owned();
        let backing = DiskError::Damaged(path(), why());
        for error in [
            DiskError::NotFound(path()),
            DiskError::Unusable(path(), why()),
            DiskError::Backing(path(), Box::new(backing)),
            DiskError::Redeclare(path(), why()),
            DiskError::InUse(path()),
            DiskError::Changed(path()),
            DiskError::Converter { path: path(), feature: "zstd", why: why() },
            DiskError::Io { action: "read", path: path(), source: io::Error::other("it says why.") },
        ] {
            assert_one_stop(&error);
            assert_one_stop(&LibraryError::Disk(error));
        }
    }
}
