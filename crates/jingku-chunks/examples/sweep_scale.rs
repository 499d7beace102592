//! Sweeps and checks a synthetic store of any number of chunks, and prints the cost.
//!
//! `cargo run --release -p jingku-chunks --example sweep_scale -- CHUNKS [IMAGES]`. Every tenth chunk is garbage; one
//! image references each of the others. Nothing is on a disk, so the times are those of the sweep alone; memory is
//! realistic.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a command for developers

use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jingku_chunks::{
    Backend, CHUNK_SIZE, CheckPlan, ChunkId, Claim, ClaimWatch, Depth, Error, Existing, Head, Key, Kind,
    ManifestId, Memory, Object, Outcome, Result, Stage, Store, SweepPlan,
};

/// Every chunk whose number ends like this is garbage.
const GARBAGE_OF: u64 = 10;
const OBJECT_BYTES: u64 = 16 + 1000;
/// Bytes of a manifest generated at a time.
const PART_BYTES: usize = 64 << 10;

#[derive(Clone)]
struct Imagined(Arc<Inside>);

struct Inside {
    chunks: u64,
    images: u64,
    ids: Vec<ManifestId>,
    /// Real claims.
    claims: Memory,
    deleted: AtomicU64,
    manifest_reads: AtomicU64,
}

/// The name of a chunk: pseudo-random where it matters, and contains its number.
fn name(number: u64) -> ChunkId {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&mixed.to_le_bytes());
    bytes[0] = number.to_le_bytes()[0];
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    ChunkId(bytes)
}

fn number(id: ChunkId) -> u64 {
    u64::from_le_bytes(id.0[8..16].try_into().unwrap())
}

impl Inside {
    fn of_image(&self, image: u64) -> impl Iterator<Item = u64> + use<> {
        let bound = |image: u64| self.chunks * image / self.images;
        (bound(image)..bound(image + 1)).filter(|number| number % GARBAGE_OF != GARBAGE_OF - 1)
    }

    fn header(&self, image: u64) -> Vec<u8> {
        let size = self.of_image(image).count() as u64 * CHUNK_SIZE;
        let mut header = b"JKMF\x01\0\0\0".to_vec();
        header.extend(size.to_le_bytes());
        header.extend(&CHUNK_SIZE.to_le_bytes()[..4]);
        header
    }

    fn manifest_id(&self, image: u64) -> ManifestId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.header(image));
        let mut part = Vec::with_capacity(PART_BYTES + 33);
        for number in self.of_image(image) {
            part.push(1);
            part.extend(name(number).0);
            if part.len() >= PART_BYTES {
                hasher.update(&part);
                part.clear();
            }
        }
        hasher.update(&part);
        ManifestId(hasher.finalize().into())
    }
}

/// A manifest, generated while it is read.
struct Body<I> {
    part: Cursor<Vec<u8>>,
    numbers: I,
    trailer: Option<[u8; 32]>,
}

impl<I: Iterator<Item = u64>> Read for Body<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let mut part = std::mem::take(self.part.get_mut());
        part.clear();
        for number in self.numbers.by_ref().take(PART_BYTES / 33) {
            part.push(1);
            part.extend(name(number).0);
        }
        if part.is_empty() {
            part.extend(self.trailer.take().into_iter().flatten());
        }
        self.part = Cursor::new(part);
        self.part.read(buffer)
    }
}

impl Backend for Imagined {
    fn put(&self, key: Key, _: &[u8], _: Existing) -> Result<Outcome> {
        panic!("nobody puts {key}")
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        panic!("nobody writes")
    }

    fn read(&self, key: Key) -> Result<Object> {
        let Key::Manifest(id) = key else { panic!("nobody reads {key}") };
        let image = self.0.ids.iter().position(|other| *other == id).ok_or(Error::NotFound(key))? as u64;
        self.0.manifest_reads.fetch_add(1, Ordering::Relaxed);
        let (part, numbers) = (Cursor::new(self.0.header(image)), self.0.of_image(image));
        Ok(Object { length: 0, body: Box::new(Body { part, numbers, trailer: Some(id.0) }) })
    }

    fn read_part(&self, key: Key, _: u64, _: usize) -> Result<Vec<u8>> {
        panic!("nobody reads a part of {key}")
    }

    fn head(&self, _: Key) -> Result<Head> {
        let mut first = b"JKCH\x01\x01\0\0".to_vec();
        first.extend(&CHUNK_SIZE.to_le_bytes()[..4]);
        first.extend(&(OBJECT_BYTES - 16).to_le_bytes()[..4]);
        Ok(Head { length: OBJECT_BYTES, first })
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        Ok(match kind {
            Kind::Chunk => {
                let numbers = (u64::from(prefix)..self.0.chunks).step_by(256);
                numbers.map(|number| Key::Chunk(name(number))).collect()
            }
            Kind::Manifest => {
                let ids = self.0.ids.iter().filter(|id| id.0[0] == prefix);
                ids.map(|id| Key::Manifest(*id)).collect()
            }
            Kind::QuarantineMark => Vec::new(),
        })
    }

    fn delete(&self, key: Key) -> Result<()> {
        let Key::Chunk(id) = key else { panic!("{key} is needed") };
        assert_eq!(number(id) % GARBAGE_OF, GARBAGE_OF - 1, "{key} is needed");
        self.0.deleted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        self.0.claims.claim()
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        self.0.claims.watch_claims()
    }
}

/// Peak memory of the process, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn main() {
    let mut args = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap());
    let chunks = args.next().expect("how many chunks");
    let images = args.next().unwrap_or(1000);
    let mut inside = Inside {
        chunks,
        images,
        ids: Vec::new(),
        claims: Memory::new(),
        deleted: AtomicU64::new(0),
        manifest_reads: AtomicU64::new(0),
    };
    inside.ids = (0..images).map(|image| inside.manifest_id(image)).collect();
    let ids = inside.ids.clone();
    let backend = Imagined(Arc::new(inside));
    let store = Store::new(backend.clone());
    println!("{chunks} chunks, {images} images; before: {} MB", peak() / 1_000_000);

    let reads = || backend.0.manifest_reads.swap(0, Ordering::Relaxed) / images;
    let started = Instant::now();
    let (mut longest, mut sweep) = (0.0_f64, store.sweep(SweepPlan::default()));
    loop {
        let step = Instant::now();
        let more = sweep.step(&mut || Ok::<_, Error>(ids.clone())).unwrap();
        longest = longest.max(step.elapsed().as_secs_f64());
        if !more {
            break;
        }
    }
    let swept = sweep.swept();
    assert_eq!((swept.chunks, swept.chunks_seen), (chunks / GARBAGE_OF, chunks));
    assert_eq!(backend.0.deleted.load(Ordering::Relaxed), swept.chunks);
    println!(
        "sweep: {} chunks deleted, each manifest read {} times, {:.0} s, longest step {longest:.2} s, peak {} MB",
        swept.chunks,
        reads(),
        started.elapsed().as_secs_f64(),
        peak() / 1_000_000
    );

    let started = Instant::now();
    let plan = CheckPlan::new(Depth::Headers);
    let findings = store.check(&ids, &plan, &|_| ControlFlow::Continue(())).unwrap().unwrap();
    assert!(findings.is_clean() && findings.chunks == chunks, "{:?}", findings.findings.first());
    println!(
        "check: each manifest read {} times, {:.0} s, peak {} MB",
        reads(),
        started.elapsed().as_secs_f64(),
        peak() / 1_000_000
    );
}
