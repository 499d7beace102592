//! QEMU's own tools as the reference.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jingku_sources::{Disk, DiskFormat, DiskReader};
use tempfile::TempDir;

fn present() -> bool {
    let present =
        ["qemu-img", "qemu-io"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok());
    assert!(present || std::env::var_os("CI").is_none(), "qemu-img and qemu-io have to be installed in CI");
    if !present {
        println!("skipped: qemu-img and qemu-io are not installed");
    }
    present
}

/// A folder of disks made by QEMU.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Returns `None` if QEMU's tools are not installed, except in CI, where it panics.
    pub(crate) fn with_qemu() -> Option<Self> {
        present().then(Self::new)
    }

    /// A small qcow2 image with data, compressed data, zeros and an unallocated part, in clusters of 4 KiB.
    pub(crate) fn small_image(&self) -> Vec<u8> {
        self.img(&["create", "-f", "qcow2", "-o", "cluster_size=4k", "small.qcow2", "1M"]);
        let writes = [
            "write -P 1 0 64k",
            "write -c -P 2 64k 4k",
            "write -c -P 3 68k 4k",
            "write -z 100k 8k",
            "write -P 4 1020k 4k",
        ];
        self.io("small.qcow2", "qcow2", &writes);
        fs::read(self.path("small.qcow2")).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Runs `qemu-img` in the folder.
    pub(crate) fn img(&self, args: &[&str]) {
        self.run("qemu-img", args);
    }

    /// Returns the bytes of a qcow2 image, or `None` if QEMU cannot read it.
    pub(crate) fn bytes_to_qemu(&self, name: &str) -> Option<Vec<u8>> {
        let args = ["convert", "-f", "qcow2", "-O", "raw", name, "expected"];
        let output = Command::new("qemu-img").args(args).current_dir(&self.dir).output().unwrap();
        output.status.success().then(|| fs::read(self.path("expected")).unwrap())
    }

    /// Runs `qemu-io` commands on a disk.
    pub(crate) fn io(&self, name: &str, format: &str, commands: &[&str]) {
        let mut args = vec!["-f", format];
        for command in commands {
            args.extend(["-c", command]);
        }
        args.push(name);
        self.run("qemu-io", &args);
    }

    fn run(&self, program: &str, args: &[&str]) {
        let output = Command::new(program).args(args).current_dir(&self.dir).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
    }

    /// Writes a raw disk: text, noise and zeros in runs of odd lengths, a hole in the middle.
    pub(crate) fn raw(&self, name: &str, len: u64) -> PathBuf {
        let path = self.path(name);
        let file = File::create(&path).unwrap();
        file.set_len(len).unwrap();
        let (mut at, mut state) = (0, 1u64);
        while at < len {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let run = (state >> 33) % 90_001;
            let run = run.min(len - at);
            let hole = at > len / 3 && at < len / 2;
            let bytes: Vec<u8> = match (state >> 60) % 4 {
                0 => vec![b'a' + (state >> 59) as u8 % 20; run as usize],
                1 => vec![],
                _ => {
                    (0..run).map(|n| ((state ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
                }
            };
            if !hole {
                file.write_all_at(&bytes, at).unwrap();
            }
            at += run;
        }
        path
    }

    pub(crate) fn open(&self, name: &str) -> DiskReader {
        Disk::inspect(&self.path(name), None).unwrap().open(self.dir.path()).unwrap()
    }

    /// Checks that our reader and QEMU see the same bytes, read sequentially and by data ranges.
    pub(crate) fn assert_same_as_qemu(&self, name: &str, format: DiskFormat) {
        let mut reader =
            Disk::inspect(&self.path(name), Some(format)).unwrap().open(self.dir.path()).unwrap();
        self.img(&["convert", "-f", &format.to_string(), "-O", "raw", name, "expected"]);
        let mut expected = fs::read(self.path("expected")).unwrap();
        // QEMU rounds a raw file up to whole sectors.
        assert_eq!(expected.len() as u64, reader.len().next_multiple_of(512), "{name}: size");
        expected.truncate(reader.len() as usize);

        assert!(read_straight(&mut reader) == expected, "{name}: bytes differ");
        assert!(read_by_ranges(&mut reader) == expected, "{name}: data outside of the ranges");
        reader.unchanged().unwrap();
    }
}

/// Reads the disk in pieces of an odd length.
pub(crate) fn read_straight(reader: &mut DiskReader) -> Vec<u8> {
    let mut all = vec![0xee; reader.len() as usize];
    let mut at = 0;
    for piece in all.chunks_mut(300_007) {
        reader.read_exact_at(at, piece).unwrap();
        at += piece.len() as u64;
    }
    all
}

/// Reads the data ranges and takes the rest for zeros.
pub(crate) fn read_by_ranges(reader: &mut DiskReader) -> Vec<u8> {
    let mut all = vec![0; reader.len() as usize];
    let mut at = 0;
    while let Some(range) = reader.next_data(at).unwrap() {
        assert!(range.start >= at && range.start < range.end && range.end <= reader.len(), "{range:?}");
        reader.read_exact_at(range.start, &mut all[range.start as usize..range.end as usize]).unwrap();
        at = range.end;
    }
    all
}

/// Total length of the ranges that may hold data.
pub(crate) fn data_bytes(reader: &mut DiskReader) -> u64 {
    let (mut at, mut sum) = (0, 0);
    while let Some(range) = reader.next_data(at).unwrap() {
        sum += range.end - range.start;
        at = range.end;
    }
    sum
}

/// Overwrites bytes of a file.
pub(crate) fn patch(path: &Path, offset: u64, bytes: &[u8]) {
    File::options().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}
