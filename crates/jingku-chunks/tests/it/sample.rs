//! Small disks to write and read back.

use jingku_chunks::{Cut, Extent, Key, Kind, ManifestId, Piece, Result, Store, Writer, Written};

/// Small chunks, so that small disks have many.
pub(crate) const CUT: Cut = Cut { chunk_size: 4096, zstd_level: 1 };

/// Incompressible bytes, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A disk of twelve chunks and a tail: noise, text, zeros, a repeated chunk.
pub(crate) fn disk() -> Vec<u8> {
    let text = b"jingku keeps each byte once. ".repeat(1000);
    let mut disk = noise(1, 3 * 4096);
    disk.extend(&text[..4 * 4096]);
    disk.extend([0; 2 * 4096]);
    disk.extend(noise(2, 4096));
    disk.extend([0; 4096]);
    disk.extend(noise(2, 4096));
    disk.extend(noise(3, 100));
    disk
}

/// Number of distinct chunks of [`disk`].
pub(crate) const DISK_CHUNKS: u64 = 3 + 4 + 1 + 1;

/// Pushes a disk into a writer, chunk by chunk.
pub(crate) fn push(writer: &mut Writer, disk: &[u8]) -> Result<()> {
    let chunk_size = usize::try_from(writer.chunk_size()).unwrap();
    disk.chunks(chunk_size).try_for_each(|chunk| writer.push(chunk.to_vec()))
}

pub(crate) fn write(store: &Store, disk: &[u8]) -> Result<Written> {
    let mut writer = store.writer_with(disk.len() as u64, CUT)?;
    push(&mut writer, disk)?;
    writer.finish_chunks()?.write_manifest()
}

pub(crate) fn read(store: &Store, id: ManifestId) -> Result<Vec<u8>> {
    let manifest = store.open_manifest(id)?;
    let mut disk = Vec::new();
    for piece in store.read(&manifest)? {
        match piece? {
            Piece::Zero(length) => disk.resize(disk.len() + usize::try_from(length).unwrap(), 0),
            Piece::Data(bytes) => disk.extend(bytes),
        }
    }
    Ok(disk)
}

/// Lists all objects of a kind.
pub(crate) fn list(backend: &impl jingku_chunks::Backend, kind: Kind) -> Vec<Key> {
    (0..=255).flat_map(|prefix| backend.list(kind, prefix).unwrap()).collect()
}

/// Asserts that every manifest can be read completely, which is what `Available` promises.
pub(crate) fn assert_manifests_whole(backend: &(impl jingku_chunks::Backend + Clone)) {
    let store = Store::new(backend.clone());
    for key in list(backend, Kind::Manifest) {
        let Key::Manifest(id) = key else { panic!("{key} is listed as a manifest") };
        for extent in store.open_manifest(id).unwrap().extents().unwrap() {
            if let Extent::Chunk { id, len } = extent.unwrap() {
                assert_eq!(store.read_chunk(id).unwrap().len() as u64, len);
            }
        }
    }
}
