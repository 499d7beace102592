//! The measure for `bench make`: the same cut, hash, compression and cores as the product, with nothing around them.
//!
//! Chunks go one after another into a file for each core, their places are kept in memory, nothing is made durable.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use jingku_chunks::{CHUNK_SIZE, ChunkId, ZSTD_LEVEL};
use rustix::fs::{SeekFrom, seek};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

pub(super) struct BareStore {
    packs: Vec<Pack>,
    places: Mutex<HashMap<ChunkId, Place>>,
}

/// Written to by one thread: several would wait for each other at one file.
struct Pack {
    file: File,
    end: AtomicU64,
}

#[derive(Clone, Copy)]
struct Place {
    pack: usize,
    at: u64,
    length: usize,
}

/// A disk in the store: the chunk at each place, `None` where all is zero.
pub(super) struct Listing {
    chunks: Vec<Option<ChunkId>>,
    disk_bytes: u64,
    pub(super) new_bytes: u64,
}

/// A chunk's number, offset and length.
type Cut = (usize, u64, usize);

impl BareStore {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let create = |number: usize| {
            let path = folder.join(number.to_string());
            let file = File::options().read(true).write(true).create_new(true).open(path)?;
            Ok(Pack { file, end: AtomicU64::new(0) })
        };
        Ok(Self { packs: (0..cores()).map(create).collect::<io::Result<_>>()?, places: Mutex::default() })
    }

    /// Keeps the chunks of a disk that are not there yet.
    pub(super) fn write(&self, disk: &Path) -> Result<Listing> {
        let disk = File::open(disk)?;
        let disk_bytes = disk.metadata()?.len();
        let with_data = cuts_with_data(&disk, disk_bytes);
        let chunks = Mutex::new(vec![None; usize::try_from(disk_bytes.div_ceil(CHUNK_SIZE))?]);
        let before = self.bytes();
        on_all_cores(&with_data, |core, cuts| {
            let mut compressor = Compressor::new(ZSTD_LEVEL)?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE)?];
            let zeros = buffer.clone();
            let mut packed = vec![0; compress_bound(buffer.len())];
            for (number, at, length) in cuts {
                let chunk = &mut buffer[..length];
                disk.read_exact_at(chunk, at)?;
                if chunk != &zeros[..length] {
                    let id = self.put(chunk, core, &mut compressor, &mut packed)?;
                    chunks.lock().expect("no thread panics")[number] = Some(id);
                }
            }
            Ok(())
        })?;
        let chunks = chunks.into_inner().expect("no thread panics");
        Ok(Listing { chunks, disk_bytes, new_bytes: self.bytes() - before })
    }

    fn put(
        &self,
        chunk: &[u8],
        core: usize,
        compressor: &mut Compressor<'_>,
        packed: &mut [u8],
    ) -> Result<ChunkId> {
        let id = ChunkId::of(chunk);
        if self.places().contains_key(&id) {
            return Ok(id);
        }
        let length = compressor.compress_to_buffer(chunk, packed)?;
        let pack = &self.packs[core];
        let at = pack.end.fetch_add(length as u64, Ordering::Relaxed);
        pack.file.write_all_at(&packed[..length], at)?;
        self.places().insert(id, Place { pack: core, at, length });
        Ok(id)
    }

    /// Writes a disk out again, sparse, each chunk checked.
    pub(super) fn read(&self, listing: &Listing, to: &Path) -> Result<()> {
        let disk = File::create_new(to)?;
        disk.set_len(listing.disk_bytes)?;
        let filled = |cut: &Cut| listing.chunks[cut.0].is_some();
        let filled: Vec<Cut> = cuts(listing.disk_bytes).filter(filled).collect();
        on_all_cores(&filled, |_core, cuts| {
            let mut decompressor = Decompressor::new()?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE)?];
            let mut packed = vec![0; compress_bound(buffer.len())];
            for (number, at, length) in cuts {
                let id = listing.chunks[number].context("the chunk is all zero")?;
                let place = *self.places().get(&id).context("a chunk is not there")?;
                let (packed, chunk) = (&mut packed[..place.length], &mut buffer[..length]);
                self.packs[place.pack].file.read_exact_at(packed, place.at)?;
                decompressor.decompress_to_buffer(packed, chunk)?;
                ensure!(ChunkId::of(chunk) == id, "a chunk is damaged");
                disk.write_all_at(chunk, at)?;
            }
            Ok(())
        })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<ChunkId, Place>> {
        self.places.lock().expect("no thread panics")
    }

    fn bytes(&self) -> u64 {
        self.packs.iter().map(|pack| pack.end.load(Ordering::Relaxed)).sum()
    }
}

fn cuts(disk_bytes: u64) -> impl Iterator<Item = Cut> {
    let offsets = (0..disk_bytes).step_by(usize::try_from(CHUNK_SIZE).expect("a chunk fits in memory"));
    offsets.enumerate().map(move |(number, at)| {
        let length = CHUNK_SIZE.min(disk_bytes - at);
        (number, at, usize::try_from(length).expect("a chunk fits in memory"))
    })
}

/// The chunks that are not wholly in a hole: to read a hole, the kernel makes pages of zeros first.
fn cuts_with_data(disk: &File, disk_bytes: u64) -> Vec<Cut> {
    let mut with_data = Vec::new();
    let mut next_data = 0;
    for cut in cuts(disk_bytes) {
        let (_, at, length) = cut;
        if next_data < at {
            // It fails where no more data comes.
            next_data = seek(disk, SeekFrom::Data(at)).unwrap_or(disk_bytes);
        }
        if next_data < at + length as u64 {
            with_data.push(cut);
        }
    }
    with_data
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Shares cuts out among threads, one a core, each told its number.
fn on_all_cores(
    cuts: &[Cut],
    work: impl Fn(usize, &mut dyn Iterator<Item = Cut>) -> Result<()> + Sync,
) -> Result<()> {
    let next = Mutex::new(cuts.iter().copied());
    let (next, work) = (&next, &work);
    thread::scope(|scope| {
        let start = |core| {
            scope.spawn(move || {
                work(core, &mut std::iter::from_fn(|| next.lock().expect("no thread panics").next()))
            })
        };
        let threads: Vec<_> = (0..cores()).map(start).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| io::Error::other("a thread panicked"))?)
    })
}
