//! The bare loop, the reference of `bench make` and `bench chunks`: cuts, hashes and compresses on all cores.
//!
//! It appends chunks to one file per core and keeps their positions in memory. Nothing is made durable.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use fastcdc::v2020::StreamCDC;
use jingku_chunks::{CHUNK_SIZE, CHUNK_SIZE_MAX, ChunkId, ZSTD_LEVEL};
use rustix::fs::{SeekFrom, seek};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

/// Where a disk is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cutting {
    /// At multiples of a size.
    Fixed(u64),
    /// By content, with an average size; chunks have a quarter to four times of it.
    ByContent(u64),
}

pub(super) struct BareStore {
    cutting: Cutting,
    zstd_level: i32,
    packs: Vec<Pack>,
    places: Mutex<HashMap<ChunkId, Place>>,
}

/// A file that one thread appends to; several threads would wait for each other.
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

/// A disk in the store: its chunks that are not all zeros.
pub(super) struct Listing {
    chunks: Vec<(Cut, ChunkId)>,
    disk_bytes: u64,
    pub(super) new_bytes: u64,
}

impl Listing {
    /// The number of chunks that are not all zeros, and the sum of their lengths.
    pub(super) fn chunks(&self) -> (u64, u64) {
        (self.chunks.len() as u64, self.chunks.iter().map(|((_, length), _)| *length as u64).sum())
    }
}

/// A chunk's offset and length.
type Cut = (u64, usize);

impl BareStore {
    /// Cuts and compresses as Jingku does.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        Self::create_with(folder, Cutting::Fixed(CHUNK_SIZE), ZSTD_LEVEL)
    }

    pub(super) fn create_with(folder: &Path, cutting: Cutting, zstd_level: i32) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let create = |number: usize| {
            let path = folder.join(number.to_string());
            let file = File::options().read(true).write(true).create_new(true).open(path)?;
            Ok(Pack { file, end: AtomicU64::new(0) })
        };
        let packs = (0..cores()).map(create).collect::<io::Result<_>>()?;
        Ok(Self { cutting, zstd_level, packs, places: Mutex::default() })
    }

    /// Stores the chunks of a disk that are not in the store yet.
    pub(super) fn write(&self, path: &Path) -> Result<Listing> {
        let disk = File::open(path)?;
        let disk_bytes = disk.metadata()?.len();
        let cuts = cuts_with_data(path, disk_bytes, self.cutting)?;
        let chunks = Mutex::new(Vec::new());
        let before = self.bytes();
        on_all_cores(cuts, |core, cuts| {
            let mut compressor = Compressor::new(self.zstd_level)?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE_MAX)?];
            let zeros = buffer.clone();
            let mut packed = vec![0; compress_bound(buffer.len())];
            for cut in cuts {
                let (at, length) = cut?;
                let chunk = &mut buffer[..length];
                disk.read_exact_at(chunk, at)?;
                if chunk != &zeros[..length] {
                    let id = self.put(chunk, core, &mut compressor, &mut packed)?;
                    chunks.lock().expect("no thread panics").push(((at, length), id));
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

    /// Writes a disk to a sparse file and verifies each chunk.
    pub(super) fn read(&self, listing: &Listing, to: &Path) -> Result<()> {
        let disk = File::create_new(to)?;
        disk.set_len(listing.disk_bytes)?;
        on_all_cores(listing.chunks.iter().copied(), |_core, chunks| {
            let mut decompressor = Decompressor::new()?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE_MAX)?];
            let mut packed = vec![0; compress_bound(buffer.len())];
            for ((at, length), id) in chunks {
                let place = *self.places().get(&id).context("a chunk is missing")?;
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

/// The chunks that are not completely in a hole. Reading a hole costs time: the kernel creates pages of zeros.
fn cuts_with_data(
    path: &Path,
    disk_bytes: u64,
    cutting: Cutting,
) -> Result<Box<dyn Iterator<Item = Result<Cut>> + Send>> {
    let data = ranges_with_data(&File::open(path)?, disk_bytes);
    match cutting {
        Cutting::Fixed(size) => {
            // A chunk can touch two ranges.
            let mut reached = 0;
            let cuts = data.into_iter().flat_map(move |range| {
                let starts = (range.start / size).max(reached)..range.end.div_ceil(size);
                reached = starts.end.max(reached);
                starts.map(move |number| {
                    let at = number * size;
                    Ok((at, usize::try_from(size.min(disk_bytes - at))?))
                })
            });
            Ok(Box::new(cuts))
        }
        Cutting::ByContent(average) => {
            let average = usize::try_from(average)?;
            let path = path.to_owned();
            let cuts = data.into_iter().flat_map(move |range| {
                let open = || {
                    let mut disk = File::open(&path)?;
                    disk.seek(io::SeekFrom::Start(range.start))?;
                    Ok::<_, io::Error>(disk.take(range.end - range.start))
                };
                let cuts: Box<dyn Iterator<Item = Result<Cut>> + Send> = match open() {
                    Err(error) => Box::new(std::iter::once(Err(error.into()))),
                    Ok(disk) => {
                        let cuts = StreamCDC::new(disk, average / 4, average, average * 4);
                        Box::new(cuts.map(move |cut| {
                            let cut = cut.map_err(io::Error::from)?;
                            Ok((range.start + cut.offset, cut.length))
                        }))
                    }
                };
                cuts
            });
            Ok(Box::new(cuts))
        }
    }
}

fn ranges_with_data(disk: &File, disk_bytes: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    // Fails after the last data.
    while let Ok(start) = seek(disk, SeekFrom::Data(at)) {
        at = seek(disk, SeekFrom::Hole(start)).unwrap_or(disk_bytes);
        ranges.push(start..at);
    }
    ranges
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Distributes work to one thread per core; each gets its number.
fn on_all_cores<T>(
    all: impl Iterator<Item = T> + Send,
    work: impl Fn(usize, &mut dyn Iterator<Item = T>) -> Result<()> + Sync,
) -> Result<()> {
    let next = Mutex::new(all);
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
