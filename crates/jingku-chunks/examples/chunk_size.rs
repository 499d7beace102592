//! Measures chunk sizes and zstd levels on a disk of yours.
//!
//! `cargo run --release -p jingku-chunks --example chunk_size -- DISK FOLDER [LEVEL…]`
//!
//! Writes the raw disk image DISK into throw-away stores below FOLDER, for each chunk size and level: as it is, with 2 %
//! of it changed in runs of 64 KiB to 1 MiB, with 2 % changed in scattered blocks of 4 KiB, and as it is again. Then reads
//! it back. First comes a bare loop that hashes and compresses the same chunks on the same number of threads and throws
//! them away; compare with that, and not with numbers from another machine or day. Runs on Linux.
#![allow(clippy::print_stdout, reason = "it is a command")]

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Instant;

use jingku_chunks::{ChunkId, Cut, Disk, ManifestId, Piece, Store, Written};

/// Which bytes of the disk are changed before it is written.
#[derive(Clone, Copy)]
enum Change {
    Nothing,
    /// 2 % in runs of 64 KiB to 1 MiB.
    Runs,
    /// 2 % in blocks of 4 KiB.
    Blocks,
}

const BLOCK: u64 = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [disk, folder, levels @ ..] = arguments.as_slice() else {
        return Err("usage: chunk_size DISK FOLDER [LEVEL…]".into());
    };
    let levels = levels.iter().map(|level| level.parse()).collect::<Result<Vec<i32>, _>>()?;
    println!(
        "| chunk size | zstd | write MB/s | of the loop | CPU of the loop | stored MB | objects | a TB of data makes \
         | 2 % in runs: new MB | 2 % in blocks: new MB | write again MB/s | read MB/s | read MB per CPU second |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for chunk_size in [64 << 10, 256 << 10, 1 << 20] {
        for &zstd_level in if levels.is_empty() { &[1, 3][..] } else { &levels } {
            measure(Path::new(disk), Path::new(folder), Cut { chunk_size, zstd_level })?;
        }
    }
    Ok(())
}

fn measure(disk: &Path, folder: &Path, cut: Cut) -> Result<(), Box<dyn Error>> {
    let path = folder.join(format!("chunk_size-{}-{}", cut.chunk_size, cut.zstd_level));
    let store = Store::new(Disk::create(&path)?);
    let size = mega(fs::metadata(disk)?.len());
    let ((), bare) = timed(|| bare_loop(disk, cut))?;
    let (first, writing) = timed(|| write(&store, disk, cut, Change::Nothing))?;
    let (runs, _) = timed(|| write(&store, disk, cut, Change::Runs))?;
    let (blocks, _) = timed(|| write(&store, disk, cut, Change::Blocks))?;
    let (_, again) = timed(|| write(&store, disk, cut, Change::Nothing))?;
    let (_, reading) = timed(|| read(&store, first.manifest))?;
    println!(
        "| {} KiB | {} | {:.0} | {:.2} | {:.2} | {:.0} | {} | {:.1} million | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
        cut.chunk_size >> 10,
        cut.zstd_level,
        size / writing.wall_s,
        bare.wall_s / writing.wall_s,
        writing.cpu_s / bare.cpu_s,
        mega(first.new_bytes),
        first.new_chunks,
        1.0 / mega(cut.chunk_size),
        mega(runs.new_bytes),
        mega(blocks.new_bytes),
        size / again.wall_s,
        size / reading.wall_s,
        size / reading.cpu_s,
    );
    Ok(fs::remove_dir_all(&path)?)
}

fn write(store: &Store, disk: &Path, cut: Cut, change: Change) -> Result<Written, Box<dyn Error>> {
    let mut writer = store.writer_with(fs::metadata(disk)?.len(), cut)?;
    for_each_chunk(disk, cut.chunk_size, |offset, mut chunk| {
        for (n, block) in (offset / BLOCK..).zip(chunk.chunks_mut(4096)) {
            if is_changed(n, change) {
                for byte in block {
                    *byte = byte.wrapping_add(1);
                }
            }
        }
        writer.push(chunk).map_err(io::Error::other)
    })?;
    Ok(writer.finish_chunks()?.write_manifest()?)
}

fn read(store: &Store, id: ManifestId) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for piece in store.read(&store.open_manifest(id)?)? {
        bytes += match piece? {
            Piece::Zero(length) => length,
            Piece::Data(data) => data.len() as u64,
        };
    }
    Ok(bytes)
}

/// Hashes and compresses everything but zeros, on one thread a core, and keeps nothing.
fn bare_loop(disk: &Path, cut: Cut) -> Result<(), Box<dyn Error>> {
    let (jobs, inbox) = crossbeam_channel::bounded::<Vec<u8>>(32);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let inbox = inbox.clone();
            scope.spawn(move || -> io::Result<()> {
                let mut compressor = zstd::bulk::Compressor::new(cut.zstd_level)?;
                for chunk in inbox {
                    if chunk.iter().any(|byte| *byte != 0) {
                        std::hint::black_box((ChunkId::of(&chunk), compressor.compress(&chunk)?));
                    }
                }
                Ok(())
            });
        }
        for_each_chunk(disk, cut.chunk_size, |_, chunk| jobs.send(chunk).map_err(io::Error::other))?;
        drop(jobs);
        Ok(())
    })
}

fn for_each_chunk(
    disk: &Path,
    chunk_size: u64,
    mut take: impl FnMut(u64, Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut disk = File::open(disk)?;
    let mut offset = 0;
    loop {
        let mut chunk = Vec::with_capacity(usize::try_from(chunk_size).map_err(io::Error::other)?);
        disk.by_ref().take(chunk_size).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            return Ok(());
        }
        let length = chunk.len() as u64;
        take(offset, chunk)?;
        offset += length;
    }
}

/// Decides by the number of the block, so that every run changes the same ones.
fn is_changed(block: u64, change: Change) -> bool {
    let dice = |n: u64| {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
    };
    match change {
        Change::Nothing => false,
        Change::Blocks => dice(block) % 50 == 0,
        // Windows of 4 MiB; every sixth or so begins with a run of 16 to 256 blocks, 136 on average.
        Change::Runs => {
            let window = block / 1024;
            dice(window) % 1000 < 151 && block % 1024 < 16 + dice(!window) % 241
        }
    }
}

/// What something took, in seconds.
struct Cost {
    wall_s: f64,
    cpu_s: f64,
}

fn timed<T>(act: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<(T, Cost), Box<dyn Error>> {
    let (start, cpu_start_s) = (Instant::now(), cpu_s()?);
    let result = act()?;
    Ok((result, Cost { wall_s: start.elapsed().as_secs_f64(), cpu_s: cpu_s()? - cpu_start_s }))
}

/// CPU time of this process so far, of the kernel for it included: fields 14 and 15 of its line, in hundredths.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let line = fs::read_to_string("/proc/self/stat")?;
    let fields = line.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks = fields.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

#[allow(clippy::cast_precision_loss, reason = "three digits are printed")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
