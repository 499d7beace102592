//! Arbitrary bytes as a disk: stored, corrupted, read, stored again.

use jingku_chunks::{
    Backend, Cut, Error, Existing, Key, Kind, ManifestId, Memory, Piece, Result, Store, Written,
};

const CUT: Cut = Cut { chunk_size: 4096, zstd_level: 1 };

/// The first bytes select what is corrupted and how; the others are the disk.
pub(crate) fn run(input: &[u8]) {
    let Some((&[which, at0, at1, how], disk)) = input.split_first_chunk() else { return };
    let (backend, at) = (Memory::new(), u16::from_le_bytes([at0, at1]));
    let store = Store::new(backend.clone());
    let written = write(&store, disk).expect("memory cannot fail");
    assert_eq!(written.logical_bytes, disk.len() as u64);
    assert!(read(&store, written.manifest).expect("it is intact") == disk, "wrong bytes");

    let again = write(&store, disk).expect("memory cannot fail");
    assert_eq!((again.manifest, again.new_chunks), (written.manifest, 0), "the same disk was stored twice");

    let keys: Vec<Key> =
        [Kind::Chunk, Kind::Manifest].into_iter().flat_map(|kind| list(&backend, kind)).collect();
    corrupt(&backend, keys[usize::from(which) % keys.len()], at, how);
    match read(&store, written.manifest) {
        Ok(read) => assert!(read == disk, "wrong bytes after corruption"),
        Err(Error::Damaged { .. } | Error::NotFound(_)) => {}
        Err(error) => panic!("refused, but not as corrupted: {error}"),
    }
    let repaired = write(&store, disk).expect("memory cannot fail");
    assert_eq!(repaired.manifest, written.manifest);
    assert!(read(&store, repaired.manifest).expect("it is repaired") == disk, "wrong bytes");
}

fn corrupt(backend: &Memory, key: Key, at: u16, how: u8) {
    let mut bytes = Vec::new();
    backend
        .read(key)
        .and_then(|mut object| {
            object.body.read_to_end(&mut bytes).map_err(|source| Error::Io { doing: "read".into(), source })
        })
        .expect("it exists");
    let at = usize::from(at) % bytes.len();
    match how {
        0 => return backend.delete(key).expect("it exists"),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, 0),
        mask => bytes[at] ^= mask,
    }
    backend.put(key, &bytes, Existing::Replace).expect("memory cannot fail");
}

fn list(backend: &Memory, kind: Kind) -> Vec<Key> {
    (0..=255).flat_map(|prefix| backend.list(kind, prefix).expect("memory cannot fail")).collect()
}

fn write(store: &Store, disk: &[u8]) -> Result<Written> {
    let mut writer = store.writer_with(disk.len() as u64, CUT)?;
    disk.chunks(4096).try_for_each(|chunk| writer.push(chunk.to_vec()))?;
    writer.finish_chunks()?.write_manifest()
}

fn read(store: &Store, id: ManifestId) -> Result<Vec<u8>> {
    let mut disk = Vec::new();
    for piece in store.read(&store.open_manifest(id)?)? {
        match piece? {
            Piece::Data(bytes) => disk.extend(bytes),
            // If this exceeds the disk, the caller's comparison fails.
            Piece::Zero(length) => disk.resize(disk.len() + usize::try_from(length).expect("it is small"), 0),
        }
    }
    Ok(disk)
}
