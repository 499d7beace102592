//! The names of objects as the catalogue stores them: 65 characters each.

use std::io;

use jingku_chunks::{ChunkId, Error, Key, ManifestId};

/// A letter and 64 hexadecimal digits.
const LENGTH: usize = 65;

pub(super) fn encode(keys: &[Key]) -> String {
    let mut names = String::with_capacity(keys.len() * LENGTH);
    for key in keys {
        names.push(match key {
            Key::Chunk(_) => 'c',
            Key::Manifest(_) => 'm',
            Key::QuarantineMark(_) => 'q',
        });
        names.push_str(&key.name());
    }
    names
}

pub(super) fn decode(names: &str) -> Result<Vec<Key>, Error> {
    let invalid = || Error::Io {
        doing: "read the claims of writers".into(),
        source: io::Error::new(io::ErrorKind::InvalidData, "a record is invalid"),
    };
    let one = |name: &[u8]| {
        let (letter, name) = std::str::from_utf8(name).ok()?.split_at_checked(1)?;
        let id: ChunkId = name.parse().ok()?;
        match letter {
            "c" => Some(Key::Chunk(id)),
            "m" => Some(Key::Manifest(ManifestId(id.0))),
            "q" => Some(Key::QuarantineMark(id)),
            _ => None,
        }
    };
    names.as_bytes().chunks(LENGTH).map(|name| one(name).ok_or_else(invalid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        let id = ChunkId([0xa7; 32]);
        let keys = [Key::Chunk(id), Key::Manifest(ManifestId([1; 32])), Key::QuarantineMark(id)];
        assert_eq!(decode(&encode(&keys)).unwrap(), keys);
        assert_eq!(decode("").unwrap(), []);
        let chunk = encode(&keys[..1]);
        for bad in [&chunk[..64], &chunk[1..], &chunk.replacen('c', "x", 1), &format!("{chunk}c")] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
