//! Files with several names.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use rustix::fs::Stat;

/// The most bytes of first names that are remembered: more than half a million files with several names.
const LINKS_BYTES_MAX: usize = 32 << 20;
/// Bytes of memory for a file besides its name.
const LINK_BYTES: usize = 48;

/// The first name of each file that has several.
#[derive(Default)]
pub(super) struct Links {
    /// By device and inode: where the directory and the name are.
    places: HashMap<(u64, u64), (Range<u32>, Range<u32>)>,
    texts: Vec<u8>,
    /// The directory that was last added.
    directory: Range<u32>,
}

impl Links {
    /// The first path of the same file; `None` if this is its first or only one.
    pub(super) fn first_path(&mut self, stat: &Stat, path: &[u8]) -> io::Result<Option<Vec<u8>>> {
        if stat.st_nlink < 2 {
            return Ok(None);
        }
        let key = (stat.st_dev, stat.st_ino);
        if let Some((directory, name)) = self.places.get(&key) {
            return Ok(Some([self.text(directory), self.text(name)].concat()));
        }
        let name_at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (directory, name) = path.split_at(name_at);
        // Files of one directory follow each other.
        if self.text(&self.directory) != directory {
            self.directory = self.add(directory)?;
        }
        let name = self.add(name)?;
        self.places.insert(key, (self.directory.clone(), name));
        Ok(None)
    }

    fn text(&self, place: &Range<u32>) -> &[u8] {
        &self.texts[place.start as usize..place.end as usize]
    }

    fn add(&mut self, text: &[u8]) -> io::Result<Range<u32>> {
        if self.texts.len() + text.len() + self.places.len() * LINK_BYTES > LINKS_BYTES_MAX {
            return Err(io::Error::other("the container has too many files with several names"));
        }
        let start = u32::try_from(self.texts.len()).map_err(io::Error::other)?;
        self.texts.extend_from_slice(text);
        Ok(start..u32::try_from(self.texts.len()).map_err(io::Error::other)?)
    }
}
