//! `cargo xtask bench chunks`: compares chunk sizes, cutting, grouping and compression levels.
//!
//! Each variant stores the same disk, then two changed copies of it. *One object per chunk* is the store as it is, with
//! claims and durable writes. *Appended* is the bare loop, which appends chunks to one file per core: a lower bound for
//! any grouping, because it has no index, no claims and no sync.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use jingku_chunks::{Cut, Disk, RUN_BYTES_MAX, Source, Store};
use rustix::fs::{SeekFrom, seek};
use serde::Serialize;

use super::bare_store::{BareStore, Cutting};
use super::disk::{self, Change};
use super::folder;
use super::machine::Machine;
use super::make::ensure_room;
use super::process::cpu_time_of_this_program;
use super::report::{Table, mega, print};
use crate::workspace::run as run_command;

const SEED: u64 = 2;
/// The disk, its two copies, and what all variants store.
const ROOM_DISKS: u64 = 6;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Working folder, with space for six disks; its new files are removed at the end.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
    /// Size of the disk.
    #[arg(long, value_name = "GIB", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    size: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One way to store a disk.
#[derive(Debug, Clone, Copy)]
struct Variant {
    cutting: Cutting,
    zstd_level: i32,
    /// Whether each chunk is an object.
    objects: bool,
}

/// The result of one variant.
#[derive(Serialize)]
struct Outcome {
    cutting: String,
    zstd_level: i32,
    grouping: &'static str,
    seconds: f64,
    cpu_seconds: f64,
    stored_bytes: u64,
    /// The same in whole blocks of the file system.
    blocks_bytes: u64,
    v2_seconds: f64,
    v2_new_bytes: u64,
    v3_new_bytes: u64,
    /// Per 10¹² bytes of data that are not zeros.
    chunks_per_tb: u64,
}

/// Stores one more disk in the same place.
type Keep = Box<dyn Fn(&Path) -> Result<Kept>>;

/// One stored disk.
struct Kept {
    new_bytes: u64,
    data_bytes: u64,
    chunks: u64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let machine = Machine::this();
    fs::create_dir_all(&args.dir)?;
    ensure_room(&args.dir, (args.size << 30) * ROOM_DISKS)?;
    let folder = tempfile::Builder::new().prefix("chunks-").tempdir_in(&args.dir)?;
    let disks = ["v1.raw", "v2.raw", "v3.raw"].map(|name| folder.path().join(name));
    let [v1, v2, v3] = &disks;
    eprintln!("filling a disk");
    disk::create(v1, args.size << 30)?;
    for (copy, change) in [(v2, Change::Runs), (v3, Change::Blocks)] {
        run_command(Command::new("cp").arg("--sparse=always").args([v1, copy]))?;
        disk::change(copy, change, SEED)?;
    }
    let outcomes =
        variants().map(|variant| variant.store(folder.path(), &disks)).collect::<Result<Vec<_>>>()?;
    print(args.json, &machine, &outcomes, &table(args.size << 30, &outcomes))
}

/// Sizes at our level, one object per chunk and appended; then levels at one size; then cutting by content.
fn variants() -> impl Iterator<Item = Variant> {
    let fixed = |kib: u64| Cutting::Fixed(kib << 10);
    let variant = |cutting, zstd_level, objects| Variant { cutting, zstd_level, objects };
    let sizes = [16, 64, 128, 256, 512, 1024];
    let sizes =
        sizes.into_iter().flat_map(move |kib| [true, false].map(|objects| variant(fixed(kib), 1, objects)));
    let levels = [-1, 3].into_iter().map(move |level| variant(fixed(256), level, false));
    let content = [16, 64, 256].into_iter().map(move |kib| variant(Cutting::ByContent(kib << 10), 1, false));
    sizes.chain(levels).chain(content)
}

impl Variant {
    fn name(self) -> String {
        match self.cutting {
            Cutting::Fixed(size) => format!("fixed {} KiB", size >> 10),
            Cutting::ByContent(average) => format!("FastCDC {} KiB", average >> 10),
        }
    }

    fn store(self, folder: &Path, disks: &[PathBuf; 3]) -> Result<Outcome> {
        let grouping = if self.objects { "one object per chunk" } else { "appended" };
        eprintln!("{}, zstd {}, {grouping}", self.name(), self.zstd_level);
        // Keep all until the end: after many deletions, ext4 takes long to find free inodes.
        let place = folder.join(format!("{} {} {grouping}", self.name(), self.zstd_level));
        let keep: Keep = match self.cutting {
            Cutting::Fixed(chunk_size) if self.objects => {
                let store = Store::new(Disk::create(&place)?);
                let cut = Cut { chunk_size, zstd_level: self.zstd_level };
                Box::new(move |disk| keep_objects(&store, cut, disk))
            }
            _ => {
                let store = BareStore::create_with(&place, self.cutting, self.zstd_level)?;
                Box::new(move |disk| {
                    let listing = store.write(disk)?;
                    let (chunks, data_bytes) = listing.chunks();
                    Ok(Kept { new_bytes: listing.new_bytes, data_bytes, chunks })
                })
            }
        };
        let [v1, v2, v3] = disks;
        run_command(&mut Command::new("sync"))?;
        let (start, cpu) = (Instant::now(), cpu_time_of_this_program()?);
        let first = keep(v1)?;
        let (seconds, cpu_spent) = (start.elapsed(), cpu_time_of_this_program()?.saturating_sub(cpu));
        run_command(&mut Command::new("sync"))?;
        let blocks_bytes = blocks_bytes(&place)?;
        let start = Instant::now();
        let second = keep(v2)?;
        let v2_seconds = start.elapsed();
        let third = keep(v3)?;
        drop(keep);
        Ok(Outcome {
            cutting: self.name(),
            zstd_level: self.zstd_level,
            grouping,
            seconds: seconds.as_secs_f64(),
            cpu_seconds: cpu_spent.as_secs_f64(),
            stored_bytes: first.new_bytes,
            blocks_bytes,
            v2_seconds: v2_seconds.as_secs_f64(),
            v2_new_bytes: second.new_bytes,
            v3_new_bytes: third.new_bytes,
            chunks_per_tb: (first.chunks * 1_000_000).checked_div(first.data_bytes / 1_000_000).unwrap_or(0),
        })
    }
}

/// Bytes that all files below a folder take on the file system.
fn blocks_bytes(place: &Path) -> Result<u64> {
    folder::sum(place, |file| file.blocks() * 512)
}

/// A raw disk that the store reads.
struct RawDisk(File);

impl Source for RawDisk {
    fn read_exact_at(
        &self,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.read_exact_at(buf, offset)?)
    }

    fn reads_small(&self) -> bool {
        true
    }
}

/// Stores a disk as the server does: skips holes; the store's threads read the rest.
fn keep_objects(store: &Store, cut: Cut, path: &Path) -> Result<Kept> {
    let disk = Arc::new(RawDisk(File::open(path)?));
    let length = disk.0.metadata()?.len();
    let mut writer = store.writer_with(length, cut)?;
    let mut at = 0;
    while at < length {
        // Fails after the last data.
        let start =
            seek(&disk.0, SeekFrom::Data(at)).map_or(length, |data| data / cut.chunk_size * cut.chunk_size);
        if start > at {
            writer.zeros(start - at)?;
            at = start;
            continue;
        }
        let end = seek(&disk.0, SeekFrom::Hole(at.max(start)))?.next_multiple_of(cut.chunk_size);
        let end = end.max(at + cut.chunk_size).min(at + RUN_BYTES_MAX).min(length);
        writer.pull(end - at, &disk)?;
        at = end;
    }
    let written = writer.finish_chunks()?.write_manifest()?;
    let chunks = written.new_chunks + written.reused_chunks;
    Ok(Kept { new_bytes: written.new_bytes, data_bytes: written.data_bytes, chunks })
}

fn table(disk_bytes: u64, all: &[Outcome]) -> Table {
    let mut table = Table::new(&[
        "cut",
        "zstd",
        "grouping",
        "MB/s of disk",
        "CPU s",
        "stored MB",
        "in blocks MB",
        "v2 MB/s",
        "v2 new MB",
        "v3 new MB",
        "million chunks per TB",
    ]);
    for tried in all {
        let speed = |seconds: f64| format!("{:.0}", mega(disk_bytes) / seconds);
        table.row(&[
            tried.cutting.clone(),
            tried.zstd_level.to_string(),
            tried.grouping.to_owned(),
            speed(tried.seconds),
            format!("{:.1}", tried.cpu_seconds),
            format!("{:.0}", mega(tried.stored_bytes)),
            format!("{:.0}", mega(tried.blocks_bytes)),
            speed(tried.v2_seconds),
            format!("{:.0}", mega(tried.v2_new_bytes)),
            format!("{:.0}", mega(tried.v3_new_bytes)),
            format!("{:.1}", mega(tried.chunks_per_tb)),
        ]);
    }
    table
}
