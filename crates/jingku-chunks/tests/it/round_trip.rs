//! What is read equals what was written.

use std::sync::Arc;

use jingku_chunks::{
    CHUNK_SIZE, Cut, Disk, Error, Extent, LOGICAL_SIZE_MAX, Memory, Piece, RUN_BYTES_MAX, Source, Store,
};
use proptest::prelude::*;

use crate::sample::{self, noise};

/// A run of a disk: zeros, one repeated byte, or noise.
fn run() -> impl Strategy<Value = Vec<u8>> {
    let length = 1..20_000_usize;
    prop_oneof![
        3 => length.clone().prop_map(|length| vec![0; length]),
        1 => (any::<u8>(), length.clone()).prop_map(|(byte, length)| vec![byte; length]),
        2 => (0..5_u64, length).prop_map(|(seed, length)| noise(seed, length)),
    ]
}

/// A disk to pull from, read at once or chunk by chunk.
struct InMemory {
    bytes: Vec<u8>,
    small: bool,
}

impl Source for InMemory {
    fn read_exact_at(
        &self,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let start = usize::try_from(offset)?;
        let bytes = self.bytes.get(start..start + buf.len());
        buf.copy_from_slice(bytes.ok_or("it ends too early")?);
        Ok(())
    }

    fn reads_small(&self) -> bool {
        self.small
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Chunks of zeros are declared as holes or pushed, at random; the result is the same.
    #[test]
    fn disk_reads_as_written(
        runs in prop::collection::vec(run(), 0..12),
        chunk_size in prop::sample::select(vec![4096_u64, 8192, 65_536]),
        choices in any::<u64>(),
    ) {
        let disk = runs.concat();
        let store = Store::new(Memory::new());
        let cut = Cut { chunk_size, ..Cut::default() };
        let mut data_bytes = 0;
        let mut writer = store.writer_with(disk.len() as u64, cut).unwrap();
        for (n, chunk) in disk.chunks(usize::try_from(chunk_size).unwrap()).enumerate() {
            let zeros = chunk.iter().all(|byte| *byte == 0);
            if zeros && choices.rotate_left(u32::try_from(n % 64).unwrap()) & 1 == 1 {
                writer.zeros(chunk.len() as u64).unwrap();
            } else {
                writer.push(chunk.to_vec()).unwrap();
            }
            data_bytes += if zeros { 0 } else { chunk.len() as u64 };
        }
        let written = writer.finish_chunks().unwrap().write_manifest().unwrap();
        prop_assert_eq!(written.logical_bytes, disk.len() as u64);
        prop_assert_eq!(written.data_bytes, data_bytes);

        let manifest = store.open_manifest(written.manifest).unwrap();
        prop_assert_eq!((manifest.logical_size(), manifest.chunk_size()), (disk.len() as u64, Some(chunk_size)));
        prop_assert_eq!(sample::read(&store, written.manifest).unwrap(), disk.clone());

        let mut pulled = store.writer_with(disk.len() as u64, cut).unwrap();
        let source = Arc::new(InMemory { bytes: disk.clone(), small: choices & 1 == 1 });
        for at in (0..disk.len()).step_by(6 * 65_536) {
            pulled.pull((disk.len() - at).min(6 * 65_536) as u64, &source).unwrap();
        }
        let again = pulled.finish_chunks().unwrap().write_manifest().unwrap();
        prop_assert_eq!((again.manifest, again.new_manifest, again.new_chunks), (written.manifest, false, 0));
        prop_assert_eq!(again.data_bytes, data_bytes);

        let mut pushed = store.writer_with(disk.len() as u64, cut).unwrap();
        sample::push(&mut pushed, &disk).unwrap();
        let again = pushed.finish_chunks().unwrap().write_manifest().unwrap();
        prop_assert_eq!((again.manifest, again.new_manifest, again.new_chunks), (written.manifest, false, 0));
    }
}

#[test]
fn folder_store_at_the_default_chunk_size() {
    let scratch = tempfile::tempdir().unwrap();
    let mut disk = noise(1, 3_000_000);
    disk.resize(5_000_000, 0);
    disk.extend(b"the end");
    let id = {
        let store = Store::new(Disk::create(scratch.path()).unwrap());
        let mut writer = store.writer(disk.len() as u64).unwrap();
        assert_eq!(writer.chunk_size(), CHUNK_SIZE);
        sample::push(&mut writer, &disk).unwrap();
        writer.finish_chunks().unwrap().write_manifest().unwrap().manifest
    };
    let store = Store::new(Disk::open(scratch.path()).unwrap());
    assert_eq!(sample::read(&store, id).unwrap(), disk);
}

#[test]
fn huge_hole_costs_nothing() {
    let store = Store::new(Memory::new());
    let mut writer = store.writer(LOGICAL_SIZE_MAX).unwrap();
    for _ in 0..1000 {
        writer.zeros(CHUNK_SIZE).unwrap();
    }
    writer.zeros(LOGICAL_SIZE_MAX - 1000 * CHUNK_SIZE).unwrap();
    let written = writer.finish_chunks().unwrap().write_manifest().unwrap();
    assert_eq!((written.data_bytes, written.new_chunks), (0, 0));
    let manifest = store.open_manifest(written.manifest).unwrap();
    let extents: Vec<Extent> = manifest.extents().unwrap().map(Result::unwrap).collect();
    assert_eq!(extents, [Extent::Zero { len: LOGICAL_SIZE_MAX }]);
    let pieces: Vec<Piece> = store.read(&manifest).unwrap().map(Result::unwrap).collect();
    assert_eq!(pieces, [Piece::Zero(LOGICAL_SIZE_MAX)]);
}

/// Several threads of the writer read at once; one of them reaches the end of the source.
#[test]
fn unreadable_source_is_not_a_shorter_disk() {
    let store = Store::new(Memory::new());
    for small in [true, false] {
        let short = Arc::new(InMemory { bytes: noise(1, 50 * 4096 - 1), small });
        let mut writer = store.writer_with(60 * 4096, sample::CUT).unwrap();
        let mut pulled = Ok(());
        for _ in 0..6 {
            pulled = pulled.and_then(|()| writer.pull(10 * 4096, &short));
        }
        match pulled.and_then(|()| writer.finish_chunks().map(drop)) {
            Err(Error::Source(source)) => assert_eq!(source.to_string(), "it ends too early"),
            ended => panic!("{ended:?}"),
        }
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let store = Store::new(Memory::new());
    let refused = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Length { .. })));
    refused(store.writer(LOGICAL_SIZE_MAX + 1).map(drop));
    for chunk_size in [0, 1000, 2048, 5000, 8 << 20] {
        refused(store.writer_with(1, Cut { chunk_size, ..Cut::default() }).map(drop));
    }
    let mut writer = store.writer_with(10_000, sample::CUT).unwrap();
    refused(writer.push(vec![]));
    refused(writer.push(vec![1; 4095]));
    refused(writer.push(vec![1; 4097]));
    refused(writer.zeros(1));
    refused(writer.zeros(12_288));
    writer.push(vec![1; 4096]).unwrap();
    writer.zeros(4096).unwrap();
    refused(writer.push(vec![1; 4096]));
    refused(writer.zeros(1809));
    let source = Arc::new(InMemory { bytes: vec![1; 10_000], small: true });
    for length in [0, 1, 4096, 1809] {
        refused(writer.pull(length, &source));
    }
    refused(store.writer(1 << 40).unwrap().pull(2 * RUN_BYTES_MAX, &source));
    writer.push(vec![1; 1808]).unwrap();
    refused(writer.push(vec![1]));
    writer.finish_chunks().unwrap().write_manifest().unwrap();

    let mut short = store.writer_with(10_000, sample::CUT).unwrap();
    short.push(vec![1; 4096]).unwrap();
    refused(short.finish_chunks().map(drop));
}
