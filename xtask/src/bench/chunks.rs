//! `cargo xtask bench chunks`: compares chunk sizes, cutting, grouping and compression levels. docs/format/choices.md
//! describes the variants.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use jingku_chunks::{Cut, Disk, RUN_BYTES_MAX, Source, Store};

use super::bare_store::{BareStore, Cutting, ranges_with_data};
use super::disk;
use super::process::timed;
use super::report::{Report, Table, mega};
use crate::workspace::run as run_command;

/// The disk, its two copies, and what all variants store.
const ROOM_DISKS: u64 = 6;

/// One way to store a disk.
#[derive(Clone, Copy)]
struct Variant {
    cutting: Cutting,
    zstd_level: i32,
    /// Whether each chunk is an object.
    objects: bool,
}

/// Stores one more disk in the same place.
type Keep = Box<dyn Fn(&Path) -> Result<Kept>>;

struct Kept {
    new_bytes: u64,
    data_bytes: u64,
    chunks: u64,
}

pub(super) fn run(folder: &Path, args: &disk::Args) -> Result<Report> {
    let disk_bytes = args.create(folder, ROOM_DISKS)?.disk;
    let rows = variants().map(|variant| variant.store(folder, disk_bytes)).collect::<Result<_>>()?;
    let headings = "cut | zstd | grouping | MB/s of disk | CPU s | stored MB | in blocks MB | v2 MB/s | v2 new MB | \
                    v3 new MB | million chunks per TB";
    let table = Table { headings, rows };
    Report::new(&table, &table)
}

/// Sizes at our level, one object per chunk and appended; then levels at one size; then cutting by content.
fn variants() -> impl Iterator<Item = Variant> {
    let fixed = |kib: u64| Cutting::Fixed(kib << 10);
    let variant = |cutting, zstd_level, objects| Variant { cutting, zstd_level, objects };
    let sizes = [16, 64, 128, 256, 512, 1024];
    let sizes =
        sizes.into_iter().flat_map(move |kib| [true, false].map(|objects| variant(fixed(kib), 1, objects)));
    let levels = [-1, 3].into_iter().map(move |level| variant(fixed(256), level, false));
    let content =
        [16, 64, 128, 256].into_iter().map(move |kib| variant(Cutting::ByContent(kib << 10), 1, false));
    sizes.chain(levels).chain(content)
}

impl Variant {
    /// Stores the three disks. Returns the row of the table.
    fn store(self, folder: &Path, disk_bytes: u64) -> Result<String> {
        let grouping = if self.objects { "one object per chunk" } else { "appended" };
        let name = match self.cutting {
            Cutting::Fixed(size) => format!("fixed {} KiB", size >> 10),
            Cutting::ByContent(average) => format!("FastCDC {} KiB", average >> 10),
        };
        eprintln!("{name}, zstd {}, {grouping}", self.zstd_level);
        // Keep all until the end: after many deletions, ext4 takes long to find free inodes.
        let place = folder.join(format!("{name} {} {grouping}", self.zstd_level));
        let keep = self.keep(&place)?;
        let (first, seconds, cpu_seconds) = timed(|| keep(&folder.join("v1.raw")))?;
        run_command(&mut Command::new("sync"))?;
        let blocks_bytes = disk::sum_files(&place, |file| file.blocks() * 512)?;
        let (second, v2_seconds, _) = timed(|| keep(&folder.join("v2.raw")))?;
        let third = keep(&folder.join("v3.raw"))?;
        let chunks_per_tb = (first.chunks * 1_000_000).checked_div(first.data_bytes / 1_000_000).unwrap_or(0);
        let mb = mega(disk_bytes);
        let [stored, in_blocks, v2_new, v3_new, million_chunks] =
            [first.new_bytes, blocks_bytes, second.new_bytes, third.new_bytes, chunks_per_tb].map(mega);
        Ok(format!(
            "{name} | {} | {grouping} | {:.0} | {cpu_seconds:.1} | {stored:.0} | {in_blocks:.0} | {:.0} | \
             {v2_new:.0} | {v3_new:.0} | {million_chunks:.1}",
            self.zstd_level,
            mb / seconds,
            mb / v2_seconds
        ))
    }

    /// Creates an empty store.
    fn keep(self, place: &Path) -> Result<Keep> {
        if let Cutting::Fixed(chunk_size) = self.cutting
            && self.objects
        {
            let store = Store::new(Disk::create(place)?);
            let cut = Cut { chunk_size, zstd_level: self.zstd_level };
            return Ok(Box::new(move |disk| keep_objects(&store, cut, disk)));
        }
        let store = BareStore::create(place, self.cutting, self.zstd_level)?;
        Ok(Box::new(move |disk| {
            let listing = store.write(disk)?;
            let data_bytes = listing.chunks.iter().map(|((_, length), _)| *length as u64).sum();
            Ok(Kept { new_bytes: listing.new_bytes, data_bytes, chunks: listing.chunks.len() as u64 })
        }))
    }
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
    for range in ranges_with_data(&disk.0, length) {
        let start = (range.start / cut.chunk_size * cut.chunk_size).max(at);
        if start > at {
            writer.zeros(start - at)?;
            at = start;
        }
        let end = range.end.next_multiple_of(cut.chunk_size).min(length);
        while at < end {
            let next = end.min(at + RUN_BYTES_MAX);
            writer.pull(next - at, &disk)?;
            at = next;
        }
    }
    if at < length {
        writer.zeros(length - at)?;
    }
    let written = writer.finish_chunks()?.write_manifest()?;
    let chunks = written.new_chunks + written.reused_chunks;
    Ok(Kept { new_bytes: written.new_bytes, data_bytes: written.data_bytes, chunks })
}
