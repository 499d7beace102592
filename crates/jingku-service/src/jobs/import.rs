//! From an uploaded file to a manifest: unpack, look, then as with any disk. Blocking, on a thread of its own.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use jingku_chunks::{Store, Written};
use jingku_makers::{DiskError, DiskFormat, open_alone, packing, unpack};

use super::make::{MakeError, Readable, copy, is_used_up};
use super::progress::Progress;
use crate::failpoint;
use crate::limits::DISK_BYTES_MAX;
use crate::room::Room;
use crate::upload::UNPACKED;

/// Makes the image of an uploaded file. A compressed one is replaced by what is in it. With a `format`, the disk in it is
/// read so, whatever it looks like.
pub(super) fn make(
    store: &Store,
    spool: &Path,
    format: Option<DiskFormat>,
    progress: &Progress,
    room: Option<&Room>,
) -> Result<Written, MakeError> {
    let size_max = u64::try_from(DISK_BYTES_MAX).unwrap_or(0);
    unpack_in_place(spool, size_max, format, progress, room)?;
    let reader = Arc::new(Readable(open_alone(spool, size_max, format).map_err(MakeError::File)?));
    // Who says that it is raw knows what is in it.
    if format != Some(DiskFormat::Raw) {
        progress.set_caution(reader.0.caution().map_err(MakeError::File)?);
    }
    progress.set_total(progress.passed() + reader.0.len());
    let mut writer = store.writer(reader.0.len())?;
    copy(&reader, &mut writer, progress, None, room).map_err(of_file)?;
    let sealed = writer.finish_chunks().map_err(|error| of_file(error.into()))?;
    reader.0.unchanged().map_err(MakeError::File)?;
    failpoint::reached("import.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("import.manifest_durable");
    Ok(written)
}

/// Puts what a compressed file holds in its place. What it holds may not be compressed itself: killed after that, the
/// job would unpack it once more.
fn unpack_in_place(
    spool: &Path,
    size_max: u64,
    format: Option<DiskFormat>,
    progress: &Progress,
    room: Option<&Room>,
) -> Result<(), MakeError> {
    let Some(packing) = packing(spool).map_err(MakeError::File)? else { return Ok(()) };
    let unpacked = spool.with_extension(UNPACKED);
    let packed_bytes = spool.metadata().map_or(0, |file| file.len());
    // Half of the work, for all one can know.
    progress.set_total(2 * packed_bytes);
    let done = unpack(spool, packing, &unpacked, size_max, |read| {
        progress.reach(read);
        if let Some(stop) = progress.stopped() {
            return Err(MakeError::Stopped(stop));
        }
        if room.is_some_and(is_used_up) {
            let doing = "unpack an uploaded file and leave the catalogue some".to_owned();
            return Err(jingku_chunks::Error::NoSpace { doing }.into());
        }
        Ok(())
    });
    let done = done.and_then(|()| Ok(open_alone(&unpacked, size_max, format)?.len()));
    match done {
        Ok(length) => {
            failpoint::reached("import.unpacked");
            fs::rename(&unpacked, spool).and_then(|()| sync_folder(spool)).map_err(replacing(spool))?;
            failpoint::reached("import.replaced");
            progress.pass(length);
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_file(&unpacked);
            Err(of_file(error))
        }
    }
}

/// What is wrong with the disk is wrong with the file it came in.
fn of_file(error: MakeError) -> MakeError {
    match error {
        MakeError::Disk(error) => MakeError::File(error),
        error => error,
    }
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn replacing(path: &Path) -> impl FnOnce(std::io::Error) -> MakeError {
    let path = path.to_owned();
    move |source| MakeError::File(DiskError::Io { action: "replace", path, source })
}
