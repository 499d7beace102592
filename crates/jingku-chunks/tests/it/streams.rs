//! Streams of unknown length, cut by content.

use std::io::{self, Read};

use jingku_chunks::{Error, Kind, Memory, Store, Written};

use crate::sample::{self, noise};

fn write(store: &Store, stream: &[u8]) -> Written {
    store.write_stream(stream).unwrap().write_manifest().unwrap()
}

#[test]
fn any_stream_round_trips() {
    let store = Store::new(Memory::new());
    let mut mixed = noise(1, 700_000);
    mixed.resize(mixed.len() + 5_000_000, 0);
    mixed.extend(b"text ".repeat(300_000));
    mixed.extend([0; 10]);
    for stream in [vec![], vec![7], vec![0], vec![0; 4 << 20], noise(2, 3_000_001), mixed] {
        let written = write(&store, &stream);
        assert_eq!(written.logical_bytes, stream.len() as u64);
        let manifest = store.open_manifest(written.manifest).unwrap();
        assert_eq!((manifest.logical_size(), manifest.chunk_size()), (stream.len() as u64, None));
        assert!(sample::read(&store, written.manifest).unwrap() == stream, "{} bytes", stream.len());
    }
}

#[test]
fn same_stream_is_stored_once() {
    let store = Store::new(Memory::new());
    let stream = noise(1, 5 << 20);
    let (first, second) = (write(&store, &stream), write(&store, &stream));
    assert_eq!(first.manifest, second.manifest);
    assert_eq!((second.new_chunks, second.new_bytes), (0, 0));
}

#[test]
fn zeros_are_not_stored() {
    let backend = std::sync::Arc::new(Memory::new());
    let store = Store::new(std::sync::Arc::clone(&backend));
    assert_eq!(write(&store, &vec![0; 9 << 20]).new_chunks, 0);
    assert_eq!(sample::list(&backend, Kind::Chunk), []);
}

#[test]
fn edits_change_only_nearby_chunks() {
    let store = Store::new(Memory::new());
    let stream = noise(1, 24 << 20);
    let chunks = write(&store, &stream).new_chunks;
    assert!(chunks > 30, "{chunks}");

    let in_front = [&b"a file that was not there before"[..], &stream].concat();
    let mut inside = stream.clone();
    inside.splice(9_000_000..9_000_100, noise(2, 33));
    for changed in [in_front, inside, stream[1_000_003..].to_vec()] {
        let written = write(&store, &changed);
        assert!(written.new_chunks <= 3, "{} new chunks", written.new_chunks);
        assert!(written.reused_chunks >= chunks - 8, "{} of {chunks} found", written.reused_chunks);
        assert!(sample::read(&store, written.manifest).unwrap() == changed);
    }
}

/// Fails after some bytes.
struct Broken(u64);

impl Read for Broken {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = buf.len().min(usize::try_from(self.0).unwrap());
        if length == 0 {
            return Err(io::Error::other("the container is gone"));
        }
        buf[..length].fill(7);
        self.0 -= length as u64;
        Ok(length)
    }
}

#[test]
fn interrupted_stream_is_not_a_shorter_stream() {
    let backend = std::sync::Arc::new(Memory::new());
    let store = Store::new(std::sync::Arc::clone(&backend));
    match store.write_stream(Broken(5_000_000)) {
        Err(Error::Source(source)) => assert_eq!(source.to_string(), "the container is gone"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is taken for whole"),
    }
    assert_eq!(sample::list(&backend, Kind::Manifest), []);
}
