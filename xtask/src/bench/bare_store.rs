//! The bare loop, the reference of `bench make` and `bench chunks`: cuts, hashes and compresses on all cores.
//!
//! It appends chunks to one file per core and keeps their positions in memory. Nothing is made durable.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use fastcdc::v2020::StreamCDC;
use jingku_chunks::{CHUNK_SIZE_MAX, ChunkId};
use rustix::fs::{SeekFrom, seek};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

/// Where a disk is cut.
#[derive(Clone, Copy)]
pub(super) enum Cutting {
    /// At multiples of a size.
    Fixed(u64),
    /// By content, with an average size; chunks have a quarter to four times of it.
    ByContent(usize),
}

pub(super) struct BareStore {
    cutting: Cutting,
    zstd_level: i32,
    /// One thread appends to each; several would wait for each other.
    packs: Vec<File>,
    places: Mutex<HashMap<ChunkId, Place>>,
}

#[derive(Clone, Copy)]
struct Place {
    pack: usize,
    at: u64,
    length: usize,
}

/// A disk in the store: its chunks that are not all zeros.
pub(super) struct Listing {
    pub(super) chunks: Vec<(Cut, ChunkId)>,
    disk_bytes: u64,
    pub(super) new_bytes: u64,
}

/// A chunk's offset and length.
pub(super) type Cut = (u64, usize);

impl BareStore {
    pub(super) fn create(folder: &Path, cutting: Cutting, zstd_level: i32) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let create = |core: usize| File::create_new(folder.join(core.to_string()));
        let packs = (0..cores()).map(create).collect::<io::Result<_>>()?;
        Ok(Self { cutting, zstd_level, packs, places: Mutex::default() })
    }

    /// Stores the chunks of a disk that are not in the store yet.
    pub(super) fn write(&self, path: &Path) -> Result<Listing> {
        let disk = File::open(path)?;
        let disk_bytes = disk.metadata()?.len();
        let cuts = cuts_with_data(&disk, disk_bytes, self.cutting);
        let chunks = Mutex::new(Vec::new());
        let before = self.bytes()?;
        on_all_cores(cuts, |core, cuts| {
            let mut compressor = Compressor::new(self.zstd_level)?;
            let mut buffer = vec![0; usize::try_from(CHUNK_SIZE_MAX)?];
            let zeros = buffer.clone();
            let mut packed = vec![0; compress_bound(buffer.len())];
            for cut in cuts {
                let (at, length) = cut?;
                let chunk = &mut buffer[..length];
                disk.read_exact_at(chunk, at)?;
                if chunk == &zeros[..length] {
                    continue;
                }
                let id = ChunkId::of(chunk);
                chunks.lock().expect("no thread panics").push(((at, length), id));
                if !self.places().contains_key(&id) {
                    let length = compressor.compress_to_buffer(chunk, &mut packed)?;
                    let mut pack = &self.packs[core];
                    let at = pack.stream_position()?;
                    pack.write_all(&packed[..length])?;
                    self.places().insert(id, Place { pack: core, at, length });
                }
            }
            Ok(())
        })?;
        let chunks = chunks.into_inner().expect("no thread panics");
        Ok(Listing { chunks, disk_bytes, new_bytes: self.bytes()? - before })
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
                self.packs[place.pack].read_exact_at(packed, place.at)?;
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

    fn bytes(&self) -> io::Result<u64> {
        self.packs.iter().map(|pack| Ok(pack.metadata()?.len())).sum()
    }
}

/// The chunks that are not completely in a hole. Reading a hole costs time: the kernel creates pages of zeros.
fn cuts_with_data(
    disk: &File,
    disk_bytes: u64,
    cutting: Cutting,
) -> Box<dyn Iterator<Item = Result<Cut>> + Send + '_> {
    let data = ranges_with_data(disk, disk_bytes).into_iter();
    match cutting {
        Cutting::Fixed(size) => {
            // A chunk can touch two ranges.
            let mut reached = 0;
            Box::new(data.flat_map(move |range| {
                let starts = (range.start / size).max(reached)..range.end.div_ceil(size);
                reached = starts.end.max(reached);
                starts.map(move |number| {
                    let at = number * size;
                    Ok((at, usize::try_from(size.min(disk_bytes - at))?))
                })
            }))
        }
        Cutting::ByContent(average) => Box::new(data.flat_map(move |range| {
            let start = range.start;
            StreamCDC::new(Part { disk, range }, average / 4, average, average * 4).map(move |cut| {
                let cut = cut.map_err(io::Error::from)?;
                Ok((start + cut.offset, cut.length))
            })
        })),
    }
}

/// A part of a disk that is read from its start to its end.
struct Part<'a> {
    disk: &'a File,
    range: Range<u64>,
}

impl Read for Part<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX).min(buf.len());
        let read = self.disk.read_at(&mut buf[..length], self.range.start)?;
        self.range.start += read as u64;
        Ok(read)
    }
}

/// The ranges of a disk that are not holes.
pub(super) fn ranges_with_data(disk: &File, disk_bytes: u64) -> Vec<Range<u64>> {
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
    let (all, work) = (&Mutex::new(all), &work);
    thread::scope(|scope| {
        let start = |core| {
            let mut next = || all.lock().expect("no thread panics").next();
            scope.spawn(move || work(core, &mut std::iter::from_fn(&mut next)))
        };
        let threads: Vec<_> = (0..cores()).map(start).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })
}
