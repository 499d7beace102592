//! A file that changes while it is read never becomes an image.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::{SEGMENT, large};
use crate::disk;
use crate::home::{Ended, Home, until};
use crate::qemu;
use crate::server::wait;

/// Runs a command while `change` runs in a loop, at last once after the end of the command.
fn while_changing(command: &mut Command, change: impl Fn(u64) + Sync) -> Ended {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                change(round);
                round += 1;
            }
        });
        let ended = Ended::of(command);
        done.store(true, Ordering::Relaxed);
        changing.join().unwrap();
        ended
    })
}

fn write_in_place(path: &Path, round: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&round.to_le_bytes(), 0).unwrap();
}

#[test]
fn a_change_of_the_file_by_any_means_is_detected() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(12, 1);
    let file = home.file("disk.raw", &bytes);
    let path = Path::new(&file);
    let import = ["image", "import", &file, "--name", "env"];
    let assert_refused = |how: &str, ended: Ended| {
        assert_eq!(ended.code, Some(1), "{how}: {ended:?}");
        assert!(ended.err.contains("changed while it was read"), "{how}: {ended:?}");
        home.assert_nothing_is_left();
    };

    let write = |round| write_in_place(path, round);
    assert_refused("written to", while_changing(&mut home.command(&import), write));
    let modified = path.metadata().unwrap().modified().unwrap();
    let write_and_set_back = |round| {
        write_in_place(path, round);
        File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    };
    let ended = while_changing(&mut home.command(&import), write_and_set_back);
    assert_refused("written to, with the old time", ended);
    let resize = |round| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(bytes.len() as u64 - round % 2).unwrap();
    };
    assert_refused("made longer and shorter", while_changing(&mut home.command(&import), resize));
    std::fs::write(path, &bytes).unwrap();
    let replace = |_| {
        let other = path.with_extension("new");
        std::fs::write(&other, &bytes).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    assert_refused("replaced", while_changing(&mut home.command(&import), replace));
    let mut redirected = home.command(&["image", "import", "-", "--name", "env"]);
    redirected.stdin(File::open(path).unwrap());
    assert_refused("as standard input", while_changing(&mut redirected, write));
    let mut chinese = home.command(&[&import[..], &["--lang", "zh"]].concat());
    while_changing(&mut chinese, write).failed(1, &["发生了变化"]);

    // Without changes it becomes an image, also from a redirection.
    std::fs::write(path, &bytes).unwrap();
    assert!(home.bytes(&home.import(&file, "alone")) == bytes);
    let mut redirected = home.command(&["image", "import", "-", "--name", "redirected", "--wait"]);
    redirected.stdin(File::open(path).unwrap());
    Ended::of(&mut redirected).succeeded();
}

/// The file has several segments, and the first has been sent.
#[test]
fn a_change_of_a_part_already_sent_is_detected() {
    let home = Home::new();
    let _server = home.serve();
    let file = home.file("disk.raw", &large());
    let path = Path::new(&file);
    let mut import = home.command(&["image", "import", &file, "--name", "env"]);
    let ended = while_changing(&mut import, |round| write_in_place(path, round));
    ended.failed(1, &["changed while it was read"]);
    home.assert_nothing_is_left();
}

#[test]
fn an_import_of_a_changed_file_does_not_resume() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = large();
    let size = bytes.len().to_string();
    let mut first = home.start_import("-", "env", &["--size", &size]);
    std::io::Write::write_all(first.stdin.as_mut().unwrap(), &bytes[..SEGMENT + 1000]).unwrap();
    until("a segment has arrived", || home.received("env") == SEGMENT as u64);
    kill_process(Pid::from_child(&first), Signal::KILL).unwrap();
    wait(&mut first);

    let file = home.file("disk.raw", &bytes);
    write_in_place(Path::new(&file), 7);
    let import = ["image", "import", &file, "--name", "env"];
    home.refuses(&import, 1, &["An import of another file", "has changed"], &["另一个文件"]);
    std::fs::write(&file, &bytes).unwrap();
    assert!(home.bytes(&home.import(&file, "env")) == bytes);
}

#[test]
fn a_disk_that_qemu_uses_is_refused() {
    if !qemu::present() {
        return;
    }
    let home = Home::new();
    let _server = home.serve();
    let file = home.file("disk.raw", &disk::bytes(2, 1));
    let mut machine = Command::new("qemu-io");
    let machine = machine.args(["-f", "raw", &file]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut machine = machine.spawn().unwrap();
    let import = ["image", "import", &file, "--name", "env"];
    // The import succeeds until QEMU has opened the file.
    until("QEMU has opened the file", || {
        let ended = home.run(&import);
        if ended.code == Some(0) {
            home.run(&["image", "delete", ended.out.trim_end()]).succeeded();
        }
        ended.code == Some(1)
    });
    home.refuses(&import, 1, &["is in use"], &["正在使用"]);
    std::io::Write::write_all(machine.stdin.as_mut().unwrap(), b"quit\n").unwrap();
    wait(&mut machine);
    home.assert_nothing_is_left();
    home.import(&file, "env");
}

/// A file as a block device, detached when dropped.
struct LoopDevice(String);

impl LoopDevice {
    /// `None` without the permission.
    fn attach(file: &str) -> Option<Self> {
        let attached = Command::new("losetup").args(["--find", "--show", file]).output().ok();
        let attached = attached.filter(|output| output.status.success());
        if attached.is_none() {
            println!("skipped: only root may attach a block device");
        }
        Some(Self(String::from_utf8(attached?.stdout).unwrap().trim_end().to_owned()))
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

/// It has no modification time: the kernel counts the sectors written to it.
#[test]
fn a_change_of_a_block_device_is_detected() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(12, 1);
    let Some(device) = LoopDevice::attach(&home.file("disk.raw", &bytes)) else { return };
    assert!(home.bytes(&home.import(&device.0, "device")) == bytes);
    let mut import = home.command(&["image", "import", &device.0, "--name", "env"]);
    let writer = File::options().write(true).open(&device.0).unwrap();
    let ended = while_changing(&mut import, |round| {
        writer.write_all_at(&round.to_le_bytes(), 0).unwrap();
    });
    ended.failed(1, &["changed while it was read"]);
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 1);
}
