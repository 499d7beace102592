//! Arbitrary bytes as a chunk.

use std::io::Read;

use jingku_chunks::{Backend, CHUNK_SIZE_MAX, ChunkId, Error, Existing, Key, Kind, Memory, Store};
use zstd::stream::read::Decoder;

pub(crate) fn run(input: &[u8]) {
    let other = ChunkId::of(input);
    let Some(plain) = plain(input) else {
        assert_eq!(read(input, other), None, "an invalid chunk was read");
        return;
    };
    assert!(plain.len() as u64 <= CHUNK_SIZE_MAX);
    let id = ChunkId::of(&plain);
    assert_eq!(read(input, id).as_deref(), Some(&plain[..]), "wrong bytes");
    assert_eq!(read(input, other), None, "read under another name");
    // A changed byte never yields other bytes.
    let mut changed = input.to_vec();
    let at = usize::from(u16::from_le_bytes([id.0[0], id.0[1]])) % changed.len();
    changed[at] ^= id.0[2] | 1;
    assert!(read(&changed, id).is_none_or(|read| read == plain), "wrong bytes after a change of byte {at}");
}

/// Reads the chunk under a name. Returns `None` if it is refused as corrupted, which leaves a mark.
fn read(object: &[u8], id: ChunkId) -> Option<Vec<u8>> {
    let (backend, key) = (Memory::new(), Key::Chunk(id));
    backend.put(key, object, Existing::Replace).expect("memory cannot fail");
    match Store::new(backend.clone()).read_chunk(id) {
        Ok(plain) => Some(plain),
        Err(Error::Damaged { key: named, .. }) if named == key => {
            let marks = backend.list(Kind::QuarantineMark, key.prefix()).expect("memory cannot fail");
            assert_eq!(marks, [Key::QuarantineMark(id)]);
            None
        }
        Err(error) => panic!("refused, but not as corrupted: {error}"),
    }
}

/// Decodes a chunk by `docs/format/chunk.md`.
fn plain(object: &[u8]) -> Option<Vec<u8>> {
    let (head, payload) = object.split_at_checked(16)?;
    let field =
        |at: usize| u64::from(u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let (plain_length, payload_length) = (field(8), field(12));
    let valid = &head[..5] == b"JKCH\x01" && head[6..8] == [0, 0] && payload.len() as u64 == payload_length;
    if !valid || !(1..=CHUNK_SIZE_MAX).contains(&plain_length) {
        return None;
    }
    match head[5] {
        0 if payload_length == plain_length => Some(payload.to_vec()),
        1 if payload_length < plain_length => {
            let mut plain = Vec::new();
            // One byte more detects a frame that is too long.
            let frame = Decoder::new(payload).ok()?;
            frame.take(plain_length + 1).read_to_end(&mut plain).ok()?;
            (plain.len() as u64 == plain_length).then_some(plain)
        }
        _ => None,
    }
}
