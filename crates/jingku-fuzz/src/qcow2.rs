//! Arbitrary bytes as a qcow2 image.

use std::fs;
use std::path::Path;

use jingku_sources::{Disk, DiskError, DiskFormat, DiskReader};

/// Data beyond this is not read, so that a small file that claims a large disk takes no longer than others.
const READ_BYTES_MAX: u64 = 4 << 20;
/// The same for an image of many small ranges.
const RANGES_MAX: usize = 4096;
/// Feature bits of images that only `qemu-img` reads, which is not tested here.
const QEMU_ONLY: u64 = 1 | 1 << 3 | 1 << 4;

pub(crate) fn run(input: &[u8]) {
    let features = input.get(72..80).and_then(|field| field.try_into().ok()).map_or(0, u64::from_be_bytes);
    if input.get(4..8) == Some(&[0, 0, 0, 3]) && features & QEMU_ONLY != 0 {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("disk.qcow2");
    fs::write(&path, input).expect("a file");
    if let Err(error) = walk(&path) {
        // A message for people is a sentence.
        let text = error.to_string();
        assert!(text.ends_with('.') && !text.contains("panicked"), "{text}");
    }
    assert!(fs::read(&path).expect("a file") == input, "the image has changed");
}

/// Reads the disk twice, in pieces of different sizes, and compares the bytes.
fn walk(path: &Path) -> Result<(), DiskError> {
    let disk = Disk::inspect(path, Some(DiskFormat::Qcow2))?;
    assert!((1..=Disk::SIZE_BYTES_MAX).contains(&disk.size_bytes) && disk.layers.len() <= Disk::LAYERS_MAX);
    if disk.layers.len() > 1 {
        // Its backing file is a file of this machine.
        return Ok(());
    }
    let mut reader = disk.open(path.parent().expect("a folder"))?;
    let (mut at, mut read) = (0, 0);
    for _ in 0..RANGES_MAX {
        let Some(range) = reader.next_data(at)? else { break };
        assert!(
            range.start >= at && range.start < range.end && range.end <= reader.len(),
            "{range:?} after {at}"
        );
        assert_zeros(&mut reader, at, range.start)?;
        let end = range.end.min(range.start + READ_BYTES_MAX - read);
        let bytes = bytes(&mut reader, range.start, end, 64 << 10)?;
        assert!(
            bytes == self::bytes(&mut reader, range.start, end, 7919)?,
            "the bytes depend on the size of the pieces"
        );
        read += end - range.start;
        at = end;
        if read >= READ_BYTES_MAX {
            break;
        }
    }
    let len = reader.len();
    assert!(reader.read_exact_at(len, &mut [0]).is_err(), "read past the end");
    reader.unchanged()
}

/// Asserts that both ends of a gap between data are zeros.
fn assert_zeros(reader: &mut DiskReader, from: u64, to: u64) -> Result<(), DiskError> {
    let (head, tail) = (to.min(from + 512), from.max(to.saturating_sub(512)));
    for (from, to) in [(from, head), (tail, to)] {
        assert!(bytes(reader, from, to, 512)?.iter().all(|byte| *byte == 0), "data from {from} to {to}");
    }
    Ok(())
}

fn bytes(reader: &mut DiskReader, from: u64, to: u64, piece: usize) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; usize::try_from(to - from).expect("it is small")];
    let mut at = from;
    for piece in bytes.chunks_mut(piece) {
        reader.read_exact_at(at, piece)?;
        at += piece.len() as u64;
    }
    Ok(bytes)
}
