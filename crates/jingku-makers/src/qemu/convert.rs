//! Reading a chain through `qemu-img`, for the features that only QEMU reads.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Disk, DiskError, DiskFormat, Layer};

/// Time allowed for any conversion, however small.
const TIMEOUT_BASE: Duration = Duration::from_mins(1);
/// Slowest conversion that is waited for beyond that.
const BYTES_PER_SECOND_MIN: u64 = 8 << 20;
/// How often a running conversion is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Enough of what `qemu-img` says to tell what went wrong.
const STDERR_BYTES_MAX: u64 = 2048;

/// Writes the whole disk into a sparse raw file below `scratch_dir`, and returns it open.
///
/// The file has no name any more when this returns, so it goes away with the handle, and after a crash too. Only
/// while `qemu-img` runs does it lie there as `.jingku-convert-*`.
///
/// Every layer is told to `qemu-img` with its path and format, so it follows no name and probes no format itself.
pub(crate) fn convert(disk: &Disk, feature: &'static str, scratch_dir: &Path) -> Result<File, DiskError> {
    let failed = |why: String| DiskError::Converter { path: disk.layers[0].path.clone(), feature, why };
    let scratch = || -> io::Result<_> {
        // Absolute, so that no part of it can be taken for a protocol or an option.
        let folder = scratch_dir.canonicalize()?;
        let stderr = tempfile::tempfile_in(&folder)?;
        Ok((tempfile::Builder::new().prefix(".jingku-convert-").tempfile_in(folder)?, stderr))
    };
    let (target, mut stderr) = scratch().map_err(DiskError::io("create a scratch file in", scratch_dir))?;

    let mut child = Command::new("qemu-img")
        .args(["convert", "-O", "raw", "-S", "4k"])
        .arg(format!("json:{}", block_device(&disk.layers)))
        .arg(target.path())
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr.try_clone().map_err(DiskError::io("open a scratch file in", scratch_dir))?)
        .spawn()
        .map_err(|err| match err.kind() {
            io::ErrorKind::NotFound => failed(
                "qemu-img is not installed; install it (package qemu-utils), or convert the disk to raw"
                    .into(),
            ),
            _ => failed(format!("it could not be started ({err}); check the installation of qemu-img")),
        })?;

    let timeout = TIMEOUT_BASE + Duration::from_secs(disk.size_bytes / BYTES_PER_SECOND_MIN);
    let status = wait(&mut child, timeout)
        .map_err(|err| failed(format!("waiting for it failed ({err}); try again")))?;
    match status {
        Some(status) if status.success() => {
            let copied = target.as_file().metadata().map_err(DiskError::io("look at", target.path()))?.len();
            // What is missing at the end would be read as zeros.
            if copied < disk.size_bytes {
                let why = format!(
                    "it wrote {copied} of {} bytes; look at the disk with `qemu-img check`",
                    disk.size_bytes
                );
                return Err(failed(why));
            }
            Ok(target.into_file())
        }
        Some(status) => {
            let said = start_of(&mut stderr);
            Err(failed(format!("it ended with {status}: {said}; try the same with `qemu-img convert`")))
        }
        None => {
            let seconds = timeout.as_secs();
            Err(failed(format!("it did not end within {seconds} s; check the storage of this host")))
        }
    }
}

/// Describes the chain to QEMU, top first, the way its `blockdev-add` takes it.
fn block_device(layers: &[Layer]) -> Value {
    let Some((layer, below)) = layers.split_first() else { return Value::Null };
    let mut node = json!({
        "driver": layer.format,
        "file": { "driver": "file", "filename": layer.path },
    });
    if layer.format == DiskFormat::Qcow2 {
        // An explicit null keeps QEMU from following the name in the header.
        node["backing"] = block_device(below);
    }
    node
}

/// Waits for the child, and kills it when `timeout` has passed: then there is no status.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > timeout {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns the start of what was written to a scratch file, on one line.
fn start_of(file: &mut File) -> String {
    let mut said = Vec::new();
    // What was said only explains a failure which is reported anyway.
    let _ = file.rewind().and_then(|()| file.take(STDERR_BYTES_MAX).read_to_end(&mut said));
    String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_killed() {
        let started = Instant::now();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::from_millis(30)).unwrap(), None);
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(child.try_wait().unwrap().is_some());
    }

    #[test]
    fn every_layer_is_told_and_the_last_has_nothing_below() {
        let layer = |path: &str, format| Layer { path: path.into(), format };
        let chain =
            [layer("/a,b", DiskFormat::Qcow2), layer("/c", DiskFormat::Qcow2), layer("/d", DiskFormat::Raw)];
        let file = |path| json!({ "driver": "file", "filename": path });
        let below = json!({ "driver": "qcow2", "file": file("/c"), "backing": { "driver": "raw", "file": file("/d") } });
        assert_eq!(
            block_device(&chain),
            json!({ "driver": "qcow2", "file": file("/a,b"), "backing": below })
        );
        assert_eq!(block_device(&chain[1..2])["backing"], Value::Null);
    }
}
