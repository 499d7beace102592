//! A virtual machine boots from an exported image.
//!
//! A small disk is built of Debian's packages as any installer would, without mounts: a partition, a FAT file system,
//! syslinux, Debian's kernel and an initramfs that prints a unique marker. `boot/prepare.sh` installs what
//! it needs. Without that the test is skipped; with `JINGKU_TEST_BOOT=1` it fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::{Ended, Home};
use crate::qemu;

/// The programs that `prepare.sh` installs, and the files that are not on the PATH.
const PROGRAMS: [&str; 7] =
    ["qemu-system-x86_64", "qemu-img", "syslinux", "mformat", "mcopy", "sfdisk", "cpio"];
/// Often not on the PATH.
const SYSTEM_PROGRAMS: &str = "/usr/sbin";
const BUSYBOX: &str = "/bin/busybox";
const BOOT_SECTOR: &str = "/usr/lib/syslinux/mbr/mbr.bin";

/// Without hardware virtualisation a boot takes seconds; on a busy machine, more.
const BOOT_TIMEOUT: Duration = Duration::from_mins(2);

const SECTOR: u64 = 512;
const PARTITION_START: u64 = 2048;
const DISK_SECTORS: u64 = 131_072;

#[test]
fn an_exported_image_boots() {
    let Some(kernel) = requirements() else { return };
    let home = Home::new();
    let marker = format!("booted-from-{}", std::process::id());
    let source = home.path("source.qcow2");
    build(&home, &kernel, &marker, &source);
    home.add_disk("uhost-boot", &source);
    let _server = home.serve();
    let id = home.make("uhost-boot", "bootable");
    let exported = home.path("exported.qcow2");
    home.run(&["image", "export", &id, "--format", "qcow2", "-o", exported.to_str().unwrap()]).succeeded();
    qemu::assert_same((&source, "qcow2"), (&exported, "qcow2"));
    // Only the export is left to boot from.
    std::fs::remove_file(&source).unwrap();
    let seconds = boot(&home, &exported, &marker);
    println!("booted in {seconds:.1} s");
}

/// Returns the kernel if everything that the test needs is installed.
fn requirements() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")));
    let kernel = cache.unwrap_or_default().join("jingku-boot/vmlinuz");
    let absent = |program: &&&str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&folders).chain([PathBuf::from(SYSTEM_PROGRAMS)]);
        !folders.any(|folder| folder.join(program).exists())
    };
    let mut missing: Vec<_> = PROGRAMS.iter().filter(absent).map(Path::new).collect();
    missing.extend(
        [Path::new(BUSYBOX), Path::new(BOOT_SECTOR), &kernel].into_iter().filter(|file| !file.exists()),
    );
    if missing.is_empty() {
        return Some(kernel);
    }
    let wanted = std::env::var_os("JINGKU_TEST_BOOT").is_some_and(|value| value == "1");
    assert!(!wanted, "missing {missing:?}: run crates/jingku/tests/it/boot/prepare.sh");
    println!("skipped: missing {missing:?}; crates/jingku/tests/it/boot/prepare.sh installs them");
    None
}

fn build(home: &Home, kernel: &Path, marker: &str, disk: &Path) {
    let script = format!(
        "set -e
        PATH=$PATH:{SYSTEM_PROGRAMS}
        mkdir -p initramfs/bin
        cp {BUSYBOX} initramfs/bin/busybox
        printf '%s\\n' '#!/bin/busybox sh' 'echo {marker}' 'exec /bin/busybox poweroff -f' > initramfs/init
        chmod +x initramfs/init
        (cd initramfs && find . | cpio --quiet -o -H newc) | gzip > initrd.gz
        printf '%s\\n' 'DEFAULT linux' 'LABEL linux' 'KERNEL vmlinuz' 'INITRD initrd.gz' \\
            'APPEND console=ttyS0 panic=-1 quiet' > syslinux.cfg
        truncate -s {bytes} disk.raw
        echo 'start={PARTITION_START}, type=c, bootable' | sfdisk --quiet disk.raw
        dd if={BOOT_SECTOR} of=disk.raw conv=notrunc status=none
        mformat -i disk.raw@@{offset} -T {sectors} -h 64 -s 32 -H {PARTITION_START} -v JINGKU ::
        mcopy -i disk.raw@@{offset} {kernel} ::vmlinuz
        mcopy -i disk.raw@@{offset} initrd.gz syslinux.cfg ::
        syslinux --install -t {offset} disk.raw
        qemu-img convert -c -f raw -O qcow2 disk.raw {disk}
        rm -r initramfs disk.raw",
        bytes = DISK_SECTORS * SECTOR,
        offset = PARTITION_START * SECTOR,
        sectors = DISK_SECTORS - PARTITION_START,
        kernel = kernel.display(),
        disk = disk.display(),
    );
    Ended::of(&mut home.other_command("sh", &["-c", &script])).succeeded();
}

/// Boots a disk until the marker appears, and returns the seconds that took.
fn boot(home: &Home, disk: &Path, marker: &str) -> f64 {
    let (console, started) = (home.path("console"), Instant::now());
    let mut machine = Command::new("qemu-system-x86_64");
    machine.args(["-accel", "tcg", "-m", "256", "-nographic", "-no-reboot", "-nic", "none"]);
    machine.arg("-drive").arg(format!("file={},format=qcow2,if=ide", disk.display()));
    machine.arg("-serial").arg(format!("file:{}", console.display())).args(["-monitor", "none"]);
    let mut machine = machine.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let shown = || String::from_utf8_lossy(&std::fs::read(&console).unwrap_or_default()).into_owned();
    let mut seconds = None;
    while seconds.is_none() && machine.try_wait().unwrap().is_none() && started.elapsed() < BOOT_TIMEOUT {
        seconds = shown().contains(marker).then(|| started.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(20));
    }
    // It powers itself off after the marker, but not if it hangs before.
    let _ = machine.kill();
    machine.wait().unwrap();
    let seconds = seconds.or_else(|| shown().contains(marker).then(|| started.elapsed().as_secs_f64()));
    seconds.unwrap_or_else(|| panic!("no {marker:?} on the console within {BOOT_TIMEOUT:?}: {}", shown()))
}
