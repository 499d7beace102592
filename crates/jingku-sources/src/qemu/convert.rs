//! Reads a chain through `qemu-img`, for features that only QEMU reads.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::child::{Exit, run};
use crate::error::DiskError;
use crate::format::{DiskFormat, Layer};

/// Time allowed for any conversion, however small.
const TIMEOUT_BASE: Duration = Duration::from_mins(1);
/// Slowest accepted conversion beyond that.
const BYTES_PER_SECOND_MIN: u64 = 8 << 20;

/// Copies the whole disk to a sparse raw file below `scratch_dir` and returns it open. Fails with
/// [`DiskError::Stopped`] soon after `proceed` returns false.
///
/// The file is already unlinked, so it disappears with the handle, also after a crash. Only while `qemu-img` runs does
/// it have a name, `.jingku-convert-*`.
///
/// `qemu-img` gets the path and format of every layer, so it follows no name and probes no format.
pub(crate) fn convert(
    layers: &[Layer],
    size_bytes: u64,
    feature: &'static str,
    scratch_dir: &Path,
    proceed: &dyn Fn() -> bool,
) -> Result<File, DiskError> {
    let failed = |why: String| DiskError::Converter { path: layers[0].path.clone(), feature, why };
    let scratch = || -> io::Result<_> {
        // Absolute, so that no part of it looks like a protocol or an option.
        let folder = scratch_dir.canonicalize()?;
        tempfile::Builder::new().prefix(".jingku-convert-").tempfile_in(folder)
    };
    let target = scratch().map_err(DiskError::io("create a scratch file in", scratch_dir))?;
    let mut program = Command::new("qemu-img");
    program
        .args(["convert", "-O", "raw", "-S", "4k"])
        .arg(format!("json:{}", block_device(layers)))
        .arg(target.path());
    let timeout = TIMEOUT_BASE + Duration::from_secs(size_bytes / BYTES_PER_SECOND_MIN);
    match run(&program, timeout, proceed) {
        Ok(Exit::Exited { status, .. }) if status.success() => {
            let copied = target.as_file().metadata().map_err(DiskError::io("look at", target.path()))?.len();
            // Missing data at the end would read as zeros.
            if copied < size_bytes {
                let why = format!(
                    "it wrote {copied} of {size_bytes} bytes; look at the disk with `qemu-img check`"
                );
                return Err(failed(why));
            }
            Ok(target.into_file())
        }
        Ok(Exit::Exited { status, stderr }) => {
            Err(failed(format!("it ended with {status}: {stderr}; try the same with `qemu-img convert`")))
        }
        Ok(Exit::Missing) => Err(failed(
            "qemu-img is not installed; install it (package qemu-utils), or convert the disk to raw".into(),
        )),
        Ok(Exit::TimedOut) => {
            let seconds = timeout.as_secs();
            Err(failed(format!("it did not end within {seconds} s; check the storage of this host")))
        }
        Ok(Exit::Stopped) => Err(DiskError::Stopped(layers[0].path.clone())),
        Err(error) => {
            Err(failed(format!("it could not be run ({error}); check the installation of qemu-img")))
        }
    }
}

/// Describes the chain to QEMU, top first, as `blockdev-add` takes it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_is_declared_to_qemu() {
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
