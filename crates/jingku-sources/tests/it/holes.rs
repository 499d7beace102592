//! Holes are reported as such and cost nothing.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::qemu::{Bench, data_bytes};

#[test]
fn empty_disk_is_one_hole() {
    let Some(bench) = Bench::with_qemu() else { return };
    File::create(bench.path("10g.raw")).unwrap().set_len(10 << 30).unwrap();
    bench.img(&["create", "-f", "qcow2", "10g.qcow2", "10G"]);
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=512", "fine.qcow2", "10G"]);
    bench.img(&["create", "-f", "qcow2", "-o", "preallocation=metadata", "mapped.qcow2", "10G"]);
    bench.img(&["create", "-f", "qcow2", "-b", "10g.raw", "-F", "raw", "overlay.qcow2"]);
    for name in ["10g.raw", "10g.qcow2", "fine.qcow2", "mapped.qcow2", "overlay.qcow2"] {
        let started = Instant::now();
        let found = data_bytes(&mut bench.open(name));
        // qemu-img writes the last bytes of a preallocated image.
        assert!(found <= 64 << 10, "{name}: {found} bytes of data");
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: {:?}", started.elapsed());
    }
}

#[test]
fn only_written_ranges_are_data() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "base.qcow2", "1G"]);
    bench.io("base.qcow2", "qcow2", &["write -P 1 0 1M", "write -P 2 512M 1M"]);
    assert_eq!(data_bytes(&mut bench.open("base.qcow2")), 2 << 20);

    // Zeros in the overlay hide the data below.
    bench.img(&["create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2"]);
    bench.io("top.qcow2", "qcow2", &["write -z 512M 1M"]);
    let reader = bench.open("top.qcow2");
    assert_eq!(reader.next_data(0).unwrap(), Some(0..1 << 20));
    assert_eq!(reader.next_data(4096).unwrap(), Some(4096..1 << 20));
    assert_eq!(reader.next_data(1 << 20).unwrap(), None);
    assert_eq!(reader.next_data(u64::MAX).unwrap(), None);
}

#[test]
fn read_past_the_end_is_refused() {
    let bench = Bench::new();
    bench.raw("disk.raw", 1000);
    let reader = bench.open("disk.raw");
    assert!(reader.read_exact_at(990, &mut [0; 10]).is_ok());
    assert!(reader.read_exact_at(991, &mut [0; 10]).is_err());
    assert!(reader.read_exact_at(u64::MAX, &mut [0; 10]).is_err());
}
