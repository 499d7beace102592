//! Ways to corrupt a file, as a failing disk or a careless cleanup does.

use std::fs;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    Delete,
    Truncate,
    Empty,
    FlipBit,
}

impl Corruption {
    pub(crate) const ALL: [Self; 4] = [Self::Delete, Self::Truncate, Self::Empty, Self::FlipBit];

    pub(crate) fn apply(self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        match self {
            Self::Delete => return fs::remove_file(path).unwrap(),
            Self::Truncate => bytes.truncate(middle),
            Self::Empty => bytes.clear(),
            Self::FlipBit => bytes[middle] ^= 4,
        }
        fs::write(path, bytes).unwrap();
    }
}
