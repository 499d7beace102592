//! The promises of `Backend`, for every implementation.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use jingku_chunks::{
    Backend, Bucket, ChunkId, Disk, Error, Existing, Faulty, Head, Key, Kind, ManifestId, Memory, Object,
    Outcome, S3Server,
};

/// A key whose name begins with this byte.
fn chunk(first: u8) -> Key {
    Key::Chunk(ChunkId([first; 32]))
}

fn read(backend: &impl Backend, key: Key) -> Vec<u8> {
    let Object { length, mut body } = backend.read(key).unwrap();
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).unwrap();
    assert_eq!(length, bytes.len() as u64);
    bytes
}

fn what_is_put_is_read(backend: &impl Backend) {
    assert_eq!(backend.put(chunk(1), b"one", Existing::Keep).unwrap(), Outcome::Stored);
    assert_eq!(read(backend, chunk(1)), b"one");
    let long = vec![9; 100_000];
    backend.put(chunk(2), &long, Existing::Keep).unwrap();
    assert_eq!(read(backend, chunk(2)), long);
    assert_eq!(backend.head(chunk(2)).unwrap(), Head { length: 100_000, first: vec![9; Head::FIRST_BYTES] });
    assert_eq!(backend.head(chunk(1)).unwrap(), Head { length: 3, first: b"one".to_vec() });
    let part = |offset, length| backend.read_part(chunk(1), offset, length).unwrap();
    assert_eq!((part(0, 3), part(1, 1), part(2, 9)), (b"one".to_vec(), b"n".to_vec(), b"e".to_vec()));
    assert_eq!((part(1, 0), part(3, 1), part(1 << 40, 1)), (vec![], vec![], vec![]));
}

fn what_exists_is_kept_or_replaced(backend: &impl Backend) {
    backend.put(chunk(1), b"first", Existing::Keep).unwrap();
    // A backend that cannot tell may replace it, by what means the same.
    match backend.put(chunk(1), b"second", Existing::Keep).unwrap() {
        Outcome::Kept => assert_eq!(read(backend, chunk(1)), b"first"),
        Outcome::Stored => assert_eq!(read(backend, chunk(1)), b"second"),
    }
    assert_eq!(backend.put(chunk(1), b"third", Existing::Replace).unwrap(), Outcome::Stored);
    assert_eq!(read(backend, chunk(1)), b"third");
    assert_eq!(backend.put(chunk(2), b"nothing to replace", Existing::Replace).unwrap(), Outcome::Stored);
    assert_eq!(read(backend, chunk(2)), b"nothing to replace");
}

fn what_is_absent_is_not_found(backend: &impl Backend) {
    let key = chunk(7);
    assert!(matches!(backend.read(key), Err(Error::NotFound(k)) if k == key));
    assert!(matches!(backend.head(key), Err(Error::NotFound(k)) if k == key));
    assert!(matches!(backend.read_part(key, 0, 1), Err(Error::NotFound(k)) if k == key));
    backend.delete(key).unwrap();
    backend.put(key, b"here", Existing::Keep).unwrap();
    backend.delete(key).unwrap();
    assert!(matches!(backend.read(key), Err(Error::NotFound(_))));
}

fn what_is_staged_is_invisible_until_committed(backend: &impl Backend) {
    let key = Key::Manifest(ManifestId([3; 32]));
    let stage = |parts: &[&[u8]]| {
        let mut stage = backend.stage().unwrap();
        for part in parts {
            stage.write(part).unwrap();
        }
        stage
    };
    let staged = stage(&[b"in ", b"two parts"]);
    assert!(matches!(backend.read(key), Err(Error::NotFound(_))));
    assert_eq!(backend.list(Kind::Manifest, 3).unwrap(), []);
    assert_eq!(staged.commit(key, Existing::Keep).unwrap(), Outcome::Stored);
    assert_eq!(read(backend, key), b"in two parts");
    stage(&[b"late"]).commit(key, Existing::Keep).unwrap();
    assert_eq!(stage(&[b"better"]).commit(key, Existing::Replace).unwrap(), Outcome::Stored);
    drop(stage(&[b"forgotten"]));
    assert_eq!(read(backend, key), b"better");
}

fn lists_by_kind_and_prefix(backend: &impl Backend) {
    let mut other = [5; 32];
    other[31] = 6;
    let keys = [chunk(5), Key::Chunk(ChunkId(other)), chunk(6), Key::Manifest(ManifestId([5; 32]))];
    for key in keys {
        backend.put(key, b"x", Existing::Keep).unwrap();
    }
    let mut listed = backend.list(Kind::Chunk, 5).unwrap();
    listed.sort();
    assert_eq!(listed, keys[..2]);
    assert_eq!(backend.list(Kind::Chunk, 6).unwrap(), keys[2..3]);
    assert_eq!(backend.list(Kind::Manifest, 5).unwrap(), keys[3..]);
    assert_eq!(backend.list(Kind::Manifest, 6).unwrap(), []);

    let mut chunks = backend.list_kind(Kind::Chunk, 3).unwrap();
    chunks.sort();
    assert_eq!(chunks, keys[..3]);
    assert!(backend.list_kind(Kind::Chunk, 1).unwrap().len() > 1);
    assert_eq!(backend.list_kind(Kind::QuarantineMark, 9).unwrap(), []);
    let mut lengths = backend.lengths(&[keys[0], chunk(9), keys[3]]).unwrap();
    lengths.sort();
    assert_eq!(lengths, [(keys[0], 1), (keys[3], 1)]);
}

fn deletes_only_if_it_may(backend: &impl Backend) {
    let keys = [chunk(1), chunk(2)];
    for key in keys {
        backend.put(key, b"x", Existing::Keep).unwrap();
    }
    assert!(backend.delete_if(&keys, &mut || Ok(false)).is_err());
    assert_eq!(backend.lengths(&keys).unwrap().len(), 2);
    backend.delete_if(&[keys[0], keys[1], chunk(9)], &mut || Ok(true)).unwrap();
    assert_eq!(backend.lengths(&keys).unwrap(), []);
}

fn a_large_object_is_written_and_read_in_parts(backend: &impl Backend) {
    let key = Key::Manifest(ManifestId([3; 32]));
    let mut stage = backend.stage().unwrap();
    let mut hasher = blake3::Hasher::new();
    for part in 0..40_u8 {
        let bytes = vec![part; 500_009];
        stage.write(&bytes).unwrap();
        hasher.update(&bytes);
    }
    stage.commit(key, Existing::Keep).unwrap();
    assert_eq!(blake3::hash(&read(backend, key)), hasher.finalize());
    assert_eq!(backend.read_part(key, 10 * 500_009 - 1, 2).unwrap(), [9, 10]);
}

fn sync_can_be_repeated(backend: &impl Backend) {
    backend.sync().unwrap();
    backend.put(chunk(1), b"one", Existing::Keep).unwrap();
    backend.sync().unwrap();
    backend.sync().unwrap();
    assert_eq!(read(backend, chunk(1)), b"one");
}

fn a_reader_never_sees_half_an_object(backend: &impl Backend) {
    const LENGTH: usize = 200_000;
    let key = chunk(1);
    thread::scope(|scope| {
        for writer in 1..=2 {
            scope.spawn(move || {
                for round in 0..40 {
                    let existing = if round % 4 == 0 { Existing::Keep } else { Existing::Replace };
                    backend.put(key, &vec![writer; LENGTH], existing).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..200 {
                if matches!(backend.head(key), Err(Error::NotFound(_))) {
                    continue;
                }
                let bytes = read(backend, key);
                assert_eq!(bytes.len(), LENGTH);
                assert!(bytes.iter().all(|byte| *byte == bytes[0]));
            }
        });
    });
}

/// A bucket, and the server that it is in.
struct InServer(Bucket, #[expect(dead_code, reason = "it stops when dropped")] S3Server);

impl InServer {
    fn start(folder: &Path) -> Self {
        let server = S3Server::start(folder, &["images"]).unwrap();
        let settings = server.settings("s3://images/some/prefix");
        Self(Bucket::create(&settings, Arc::new(Memory::new())).unwrap(), server)
    }
}

impl std::ops::Deref for InServer {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.0
    }
}

macro_rules! suite {
    ($name:ident, $scratch:ident => $backend:expr) => {
        mod $name {
            use super::*;

            suite!(@tests $scratch => $backend,
                what_is_put_is_read,
                what_exists_is_kept_or_replaced,
                what_is_absent_is_not_found,
                what_is_staged_is_invisible_until_committed,
                lists_by_kind_and_prefix,
                deletes_only_if_it_may,
                a_large_object_is_written_and_read_in_parts,
                sync_can_be_repeated,
                a_reader_never_sees_half_an_object,
            );
        }
    };
    (@tests $scratch:ident => $backend:expr, $($test:ident,)*) => {
        $(
            #[test]
            fn $test() {
                let $scratch = tempfile::tempdir().unwrap();
                let backend = $backend;
                super::$test(&*backend);
            }
        )*
    };
}

suite!(memory, _scratch => Box::new(Memory::new()));
suite!(disk, scratch => Box::new(Disk::create(scratch.path()).unwrap()));
suite!(bucket, scratch => InServer::start(scratch.path()));
suite!(faulty_memory, _scratch => Box::new(Faulty::new(Memory::new())));
suite!(faulty_disk, scratch => Box::new(Faulty::new(Disk::create(scratch.path()).unwrap())));
