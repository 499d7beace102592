//! Reads all data of a disk and prints the speed: `cargo run --release --example read_speed -- disk.qcow2`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::path::Path;
use std::time::Instant;

use jingku_sources::{Disk, DiskError};

fn main() -> Result<(), DiskError> {
    let path = std::env::args().nth(1).expect("the path of a disk is given");
    let started = Instant::now();
    let reader = Disk::inspect(Path::new(&path), None)?.open(&std::env::temp_dir())?;
    let opened = started.elapsed();
    let mut piece = vec![0; 4 << 20];
    let (mut at, mut bytes) = (0, 0);
    while let Some(range) = reader.next_data(at)? {
        // Whole pieces from the start of the data, as chunks are read.
        let len = (reader.len() - range.start).min(piece.len() as u64);
        reader.read_exact_at(range.start, &mut piece[..usize::try_from(len).unwrap_or(usize::MAX)])?;
        bytes += len;
        at = range.start + len;
    }
    reader.unchanged()?;
    let millis = started.elapsed().as_millis().max(1);
    let speed = u128::from(bytes) / 1000 / millis;
    println!("{path}: {bytes} of {} bytes in {millis} ms, {speed} MB/s (open: {opened:?})", reader.len());
    Ok(())
}
