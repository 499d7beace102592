//! The measure for `bench make`: the same cut, hash, compression and cores as the product, with nothing around them.
//!
//! Chunks go one after another into one file, their places are kept in memory, nothing is made durable.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use jingku_chunks::{CHUNK_SIZE, ChunkId, ZSTD_LEVEL};
use zstd::bulk::{Compressor, Decompressor};

pub(super) struct BareStore {
    file: File,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    places: HashMap<ChunkId, Place>,
    end: u64,
}

#[derive(Clone, Copy)]
struct Place {
    at: u64,
    length: usize,
}

/// A disk in the store: the chunk at each place, `None` where all is zero.
pub(super) struct Listing {
    chunks: Vec<Option<ChunkId>>,
    disk_bytes: u64,
    pub(super) new_bytes: u64,
}

impl BareStore {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Ok(Self { file, kept: Mutex::default() })
    }

    /// Keeps the chunks of a disk that are not there yet.
    pub(super) fn write(&self, disk: &Path) -> Result<Listing> {
        let disk = File::open(disk)?;
        let disk_bytes = disk.metadata()?.len();
        let chunks = Mutex::new(vec![None; usize::try_from(disk_bytes.div_ceil(CHUNK_SIZE))?]);
        let before = self.lock().end;
        on_all_cores(disk_bytes, |numbers| {
            let mut compressor = Compressor::new(ZSTD_LEVEL)?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE)?];
            let zeros = buffer.clone();
            for (number, at, length) in numbers {
                let chunk = &mut buffer[..length];
                disk.read_exact_at(chunk, at)?;
                if chunk != &zeros[..length] {
                    let id = self.put(chunk, &mut compressor)?;
                    chunks.lock().expect("no thread panics")[number] = Some(id);
                }
            }
            Ok(())
        })?;
        let new_bytes = self.lock().end - before;
        Ok(Listing { chunks: chunks.into_inner().expect("no thread panics"), disk_bytes, new_bytes })
    }

    fn put(&self, chunk: &[u8], compressor: &mut Compressor<'_>) -> Result<ChunkId> {
        let id = ChunkId::of(chunk);
        if self.lock().places.contains_key(&id) {
            return Ok(id);
        }
        let packed = compressor.compress(chunk)?;
        let place = {
            let mut kept = self.lock();
            let place = Place { at: kept.end, length: packed.len() };
            kept.end += packed.len() as u64;
            kept.places.insert(id, place);
            place
        };
        self.file.write_all_at(&packed, place.at)?;
        Ok(id)
    }

    /// Writes a disk out again, sparse, each chunk checked.
    pub(super) fn read(&self, listing: &Listing, to: &Path) -> Result<()> {
        let disk = File::create_new(to)?;
        disk.set_len(listing.disk_bytes)?;
        on_all_cores(listing.disk_bytes, |numbers| {
            let mut decompressor = Decompressor::new()?;
            for (number, at, length) in numbers {
                let Some(id) = listing.chunks[number] else { continue };
                let place = *self.lock().places.get(&id).context("a chunk is not there")?;
                let mut packed = vec![0; place.length];
                self.file.read_exact_at(&mut packed, place.at)?;
                let chunk = decompressor.decompress(&packed, length)?;
                ensure!(ChunkId::of(&chunk) == id, "a chunk is damaged");
                disk.write_all_at(&chunk, at)?;
            }
            Ok(())
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("no thread panics")
    }
}

/// Shares the chunks of a disk out among threads, one a core: number, offset and length of each.
fn on_all_cores(
    disk_bytes: u64,
    work: impl Fn(&mut dyn Iterator<Item = (usize, u64, usize)>) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicU64::new(0);
    let numbers = || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let at = number * CHUNK_SIZE;
        let length = CHUNK_SIZE.min(disk_bytes.checked_sub(at).filter(|left| *left > 0)?);
        Some((usize::try_from(number).ok()?, at, usize::try_from(length).ok()?))
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let start = |_| scope.spawn(|| work(&mut std::iter::from_fn(numbers)));
        let threads: Vec<_> = (0..cores).map(start).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| io::Error::other("a thread panicked"))?)
    })
}
