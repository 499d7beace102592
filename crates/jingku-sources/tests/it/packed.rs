//! Compressed files: valid ones are decompressed, others are refused with the right error.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use jingku_sources::{DiskError, PackedFault, Packing, Unpacked, packing, unpack};
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("packed")
    }

    /// Decompresses a file of these bytes in the detected format.
    fn unpack(&self, bytes: &[u8]) -> Result<Vec<u8>, PackedFault> {
        fs::write(self.path(), bytes).unwrap();
        self.unpack_file()
    }

    fn unpack_file(&self) -> Result<Vec<u8>, PackedFault> {
        let into = self.folder.path().join("unpacked");
        let kind = packing(&self.path()).unwrap().expect("it is compressed");
        let read_max = self.path().metadata().unwrap().len();
        let proceed = |read: Unpacked| {
            assert!(read.packed_bytes <= read_max);
            Ok::<_, DiskError>(())
        };
        match unpack(&self.path(), kind, &into, 1 << 30, proceed) {
            Ok(()) => Ok(fs::read(into).unwrap()),
            Err(DiskError::Packed(_, fault)) => Err(fault),
            Err(error) => panic!("{error}"),
        }
    }
}

fn content() -> Vec<u8> {
    (0..300_000_u32).flat_map(|number| (number / 3).wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame with a window of this many bits, as from `zstd --long`.
fn zstd_with_window(bytes: &[u8], bits: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(bits).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A skippable frame.
fn skippable(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&[0x5e, 0x2a, 0x4d, 0x18][..], &length.to_le_bytes(), bytes].concat()
}

#[test]
fn any_number_of_members_and_frames_is_one_content() {
    let (bench, content) = (Bench::new(), content());
    let (first, second) = content.split_at(500_001);
    for packed in [
        gzip(&content),
        [gzip(first), gzip(second)].concat(),
        [gzip(b""), gzip(first), gzip(b""), gzip(second), gzip(b"")].concat(),
        zstd(&content),
        [zstd(first), zstd(second)].concat(),
        [skippable(b"index"), zstd(first), skippable(b""), zstd(b""), zstd(second), skippable(&[0; 1000])]
            .concat(),
        // A frame without a checksum, and one with its length in the header.
        [zstd::encode_all(first, 1).unwrap(), zstd::bulk::compress(second, 1).unwrap()].concat(),
    ] {
        assert!(bench.unpack(&packed).unwrap() == content);
    }
}

#[test]
fn zeros_after_the_end_are_padding() {
    let (bench, content) = (Bench::new(), content());
    for packed in [gzip(&content), zstd(&content), [gzip(&content[..7]), gzip(&content[7..])].concat()] {
        for padding in [1, 2, 3, 511, 10_240, 1 << 20] {
            let padded = [&packed[..], &vec![0; padding]].concat();
            assert!(bench.unpack(&padded).unwrap() == content, "{padding}");
        }
    }
}

#[test]
fn trailing_data_is_refused_with_its_offset() {
    let (bench, content) = (Bench::new(), content());
    for (packing, whole) in [(Packing::Gzip, gzip(&content)), (Packing::Zstd, zstd(&content))] {
        let end = whole.len() as u64;
        let other = if packing == Packing::Gzip { zstd(b"other") } else { gzip(b"other") };
        for (followed, at) in [
            ([&whole[..], b"garbage"].concat(), end),
            ([&whole[..], &other].concat(), end),
            // gzip(1) ignores a member after padding.
            ([&whole[..], &[0; 700], &whole].concat(), end + 700),
            ([&whole[..], &vec![0; 300_000], b"x"].concat(), end + 300_000),
        ] {
            let fault = bench.unpack(&followed).unwrap_err();
            assert_eq!(fault, PackedFault::Followed(packing, at));
            assert!(fault.to_string().contains(&format!("at byte {at}")), "{fault}");
        }
    }
}

/// Every place where a compressed file may be truncated.
#[test]
fn a_cut_file_ends_early_and_is_not_called_damaged() {
    let (bench, content) = (Bench::new(), &content()[..12_000]);
    let two = |one: fn(&[u8]) -> Vec<u8>| [one(&content[..5000]), one(&content[5000..])].concat();
    for (whole, kind, ends) in [
        (two(gzip), Packing::Gzip, gzip(&content[..5000]).len()),
        (two(zstd), Packing::Zstd, zstd(&content[..5000]).len()),
    ] {
        let around_the_first_end = ends - 20..ends + 30;
        for len in
            (8..whole.len()).step_by(97).chain(around_the_first_end).chain(whole.len() - 20..whole.len())
        {
            let cut = bench.unpack(&whole[..len]);
            if len == ends {
                assert!(cut.unwrap() == content[..5000], "that is a whole file");
                continue;
            }
            assert_eq!(cut, Err(PackedFault::EndsEarly(kind)), "cut to {len} of {}", whole.len());
        }
    }
    let said = PackedFault::EndsEarly(Packing::Zstd).to_string();
    assert!(said.contains("ends early") && !said.contains("damaged"), "{said}");
}

#[test]
fn flipped_bytes_are_corruption() {
    let (bench, content) = (Bench::new(), content());
    for (whole, kind) in [(gzip(&content), Packing::Gzip), (zstd(&content), Packing::Zstd)] {
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x40;
        assert!(matches!(bench.unpack(&flipped), Err(PackedFault::Damaged(packing, _)) if packing == kind));
        // The checksum at the end.
        let mut flipped = whole.clone();
        flipped[whole.len() - if kind == Packing::Gzip { 8 } else { 1 }] ^= 1;
        assert!(matches!(bench.unpack(&flipped), Err(PackedFault::Damaged(packing, _)) if packing == kind));
    }
    assert_eq!(bench.unpack(&gzip(b"")), Err(PackedFault::Empty));
    assert_eq!(bench.unpack(&zstd(b"")), Err(PackedFault::Empty));
    assert_eq!(bench.unpack(&skippable(b"nothing of it")), Err(PackedFault::Empty));
}

#[test]
fn windows_are_read_up_to_a_limit_that_is_named() {
    let (bench, content) = (Bench::new(), content());
    for bits in [10, 27, 28, 29] {
        assert!(bench.unpack(&zstd_with_window(&content, bits)).unwrap() == content, "{bits}");
    }
    for (bits, needed) in [(30, "1024 MB"), (31, "2048 MB")] {
        let fault = bench.unpack(&zstd_with_window(&content, bits)).unwrap_err();
        assert_eq!(fault, PackedFault::NeedsMemory(1 << bits));
        let said = fault.to_string();
        assert!(
            said.contains(needed) && said.contains("at most 512 MB") && said.contains("--long=31"),
            "{said}"
        );
        // Also in a later frame.
        let later = [zstd(&content), zstd_with_window(&content, bits)].concat();
        assert_eq!(bench.unpack(&later), Err(PackedFault::NeedsMemory(1 << bits)));
    }
}

/// Matches that reach back more than 128 MiB, which a smaller window would get wrong.
#[test]
fn large_window_is_used() {
    let bench = Bench::new();
    let block: Vec<u8> = content();
    let mut encoder = zstd::Encoder::new(fs::File::create(bench.path()).unwrap(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&block).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..150 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.write_all(&block).unwrap();
    encoder.finish().unwrap().sync_all().unwrap();
    assert!(bench.path().metadata().unwrap().len() < 2 * block.len() as u64);
    let unpacked = bench.unpack_file().unwrap();
    assert_eq!(unpacked.len(), 2 * block.len() + (150 << 20));
    assert!(unpacked.starts_with(&block) && unpacked.ends_with(&block));
}

/// Two at once: one waits for the other's memory, checks meanwhile whether to stop, and completes.
#[test]
fn large_windows_are_read_one_at_a_time() {
    let (holder, waiter) = (Bench::new(), Bench::new());
    let content = content();
    for bench in [&holder, &waiter] {
        fs::write(bench.path(), zstd_with_window(&content, 29)).unwrap();
    }
    let (is_held, held) = std::sync::mpsc::channel();
    let (waits, waiting) = std::sync::mpsc::channel();
    let (holder_path, into) = (holder.path(), holder.folder.path().join("unpacked"));
    let holding = std::thread::spawn(move || {
        unpack(&holder_path, Packing::Zstd, &into, 1 << 30, |read| {
            if read.packed_bytes > 0 && is_held.send(()).is_ok() {
                // Holds the window until the other one has waited.
                let _ = waiting.recv_timeout(std::time::Duration::from_mins(1));
            }
            Ok::<_, DiskError>(())
        })
    });
    held.recv().unwrap();
    let mut has_waited = false;
    let into = waiter.folder.path().join("unpacked");
    unpack(&waiter.path(), Packing::Zstd, &into, 1 << 30, |read| {
        has_waited |= read.packed_bytes == 0;
        let _ = waits.send(());
        Ok::<_, DiskError>(())
    })
    .unwrap();
    drop(held);
    holding.join().unwrap().unwrap();
    assert!(has_waited);
    assert!(fs::read(into).unwrap() == content);
}

#[test]
fn missing_dictionary_is_reported() {
    let bench = Bench::new();
    let last_block_without_content = [1, 0, 0];
    for (flag, id, bytes) in
        [(1, 200, &[200][..]), (2, 0x1234, &[0x34, 0x12]), (3, 0x1234_5678, &[0x78, 0x56, 0x34, 0x12])]
    {
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd, flag, 0x58], bytes, &last_block_without_content].concat();
        let fault = bench.unpack(&frame).unwrap_err();
        assert_eq!(fault, PackedFault::NeedsDictionary(id));
        assert!(fault.to_string().contains("needs a dictionary"), "{fault}");
    }
    // Without a number it cannot be distinguished from damage, so the message names both.
    let content = content();
    let packed = {
        let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 1, &content[..400_000]).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(&content[..400_000]).unwrap();
        encoder.finish().unwrap()
    };
    let fault = bench.unpack(&packed).unwrap_err();
    assert!(matches!(fault, PackedFault::Damaged(Packing::Zstd, _)), "{fault}");
    assert!(fault.to_string().contains("--patch-from"), "{fault}");
}

#[test]
fn hole_in_the_file_reads_as_zeros() {
    let (bench, content) = (Bench::new(), content());
    let packed = gzip(&content);
    let file = fs::File::create(bench.path()).unwrap();
    file.write_all_at(&packed, 0).unwrap();
    file.set_len(64 << 20).unwrap();
    assert!(bench.unpack_file().unwrap() == content);
}
