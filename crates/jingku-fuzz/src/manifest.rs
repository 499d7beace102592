//! Arbitrary bytes as a manifest.

use jingku_chunks::{
    Backend, CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, Error, Existing, Extent, Key, LOGICAL_SIZE_MAX, ManifestId,
    Memory, Store,
};

pub(crate) fn run(input: &[u8]) {
    test(input);
    // A changed hash is refused early, so the rest of the decoder needs a correct one.
    let body = &input[..input.len().saturating_sub(32)];
    test(&sealed(body));
}

/// The body of a manifest with its hash.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    [body, blake3::hash(body).as_bytes()].concat()
}

fn test(object: &[u8]) {
    let id = ManifestId(object.last_chunk().copied().unwrap_or_default());
    if let Some((size, chunk_size, extents)) = opened(object, id) {
        assert!(size <= LOGICAL_SIZE_MAX);
        assert!(chunk_size.is_none_or(|size| (CHUNK_SIZE_MIN..=CHUNK_SIZE_MAX).contains(&size)));
        assert!(extents.len() <= object.len() / 9, "{} entries of {} bytes", extents.len(), object.len());
        assert_eq!(extents.iter().map(length).sum::<u64>(), size);
        assert!(encoded(size, chunk_size, &extents) == object, "two encodings of one disk");

        // Under another name, or with a changed byte, it is refused.
        let mut other = id;
        other.0[usize::from(id.0[0] % 32)] ^= 1;
        assert_eq!(opened(object, other), None);
        let mut changed = object.to_vec();
        let at = usize::from(u16::from_le_bytes([id.0[1], id.0[2]])) % changed.len();
        changed[at] ^= id.0[3] | 1;
        assert_eq!(opened(&changed, id), None, "opened after a change of byte {at}");
    }
}

/// Opens a manifest. Returns `None` if it is refused as corrupted.
fn opened(object: &[u8], id: ManifestId) -> Option<(u64, Option<u64>, Vec<Extent>)> {
    let (backend, key) = (Memory::new(), Key::Manifest(id));
    backend.put(key, object, Existing::Replace).expect("memory cannot fail");
    match Store::new(backend).open_manifest(id) {
        Ok(manifest) => {
            let extents = manifest.extents().and_then(Iterator::collect);
            let extents = extents.expect("an opened manifest can be read");
            Some((manifest.logical_size(), manifest.chunk_size(), extents))
        }
        Err(Error::Damaged { key: named, .. }) if named == key => None,
        Err(error) => panic!("refused, but not as corrupted: {error}"),
    }
}

fn length(extent: &Extent) -> u64 {
    let (Extent::Zero { len } | Extent::Chunk { len, .. }) = extent;
    *len
}

/// The only encoding by `docs/format/manifest.md`: of a disk, or of a stream if there is no chunk size.
fn encoded(size: u64, chunk_size: Option<u64>, extents: &[Extent]) -> Vec<u8> {
    let mut bytes = b"JKMF".to_vec();
    match chunk_size {
        Some(chunk_size) => {
            bytes.extend([1, 0, 0, 0]);
            bytes.extend(size.to_le_bytes());
            bytes.extend(&chunk_size.to_le_bytes()[..4]);
        }
        None => bytes.extend([2, 0, 0, 0]),
    }
    for extent in extents {
        match extent {
            Extent::Zero { len } => {
                bytes.push(0);
                bytes.extend(chunk_size.map_or(*len, |size| len.div_ceil(size)).to_le_bytes());
            }
            Extent::Chunk { id, len } => {
                bytes.push(1);
                if chunk_size.is_none() {
                    bytes.extend(&len.to_le_bytes()[..4]);
                }
                bytes.extend(id.0);
            }
        }
    }
    if chunk_size.is_none() {
        bytes.push(2);
        bytes.extend(size.to_le_bytes());
    }
    sealed(&bytes)
}
