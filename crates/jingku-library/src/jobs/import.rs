//! Makes an image of an uploaded file: unpacks it, inspects it, and stores it like any disk. Blocks.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jingku_sources::oci::{ArchiveError, Flatten, ImageArchive, LayerReader, OciImage};
use jingku_sources::tree::{Filter, Rules};
use jingku_sources::{DiskError, DiskFormat, open_untrusted, packing, unpack};

use super::make::{DiskSource, Made, MakeError, copy, no_space};
use super::progress::Progress;
use super::save;
use super::saved::Saved;
use crate::disk_space::MARGIN_BYTES;
use crate::library::Library;
use crate::limits::{DISK_BYTES_MAX, UNPACK_FREE_SHARE, UNPACKED_DATA_BYTES_FREE};
use crate::uploads::UNPACKED;
use crate::{durable, failpoint};

/// Makes the image of an uploaded file. Replaces a compressed file by its content. A `format` overrides the detection. Every
/// [`DiskError`] concerns the file.
pub(super) fn make(
    library: &Library,
    file: &Path,
    format: Option<DiskFormat>,
    progress: &Progress,
) -> Result<Made, MakeError> {
    failpoint::passed("make.begun");
    let size_max = u64::try_from(DISK_BYTES_MAX).unwrap_or(0);
    unpack_in_place(library, file, size_max, format, progress)?;
    if format.is_none()
        && let Some(archive) = ImageArchive::open(file).map_err(refused)?
    {
        return make_container(library, &archive, size_max, progress);
    }
    let reader = Arc::new(DiskSource(open_untrusted(file, size_max, format)?));
    // The owner of a file that was declared raw knows its content.
    if format != Some(DiskFormat::Raw) {
        progress.set_caution(reader.0.caution()?);
    }
    progress.expect(reader.0.len());
    let mut writer = library.store.writer(reader.0.len())?;
    copy(&reader, &mut writer, progress, None, library.disk_space.as_ref())?;
    let sealed = writer.finish_chunks()?;
    reader.0.unchanged()?;
    failpoint::reached("import.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("import.manifest_durable");
    Ok(Made { written, saved: None })
}

/// Makes the image of a container from an archive. Its layers become one.
fn make_container(
    library: &Library,
    archive: &ImageArchive,
    size_max: u64,
    progress: &Progress,
) -> Result<Made, MakeError> {
    let packed = archive.packed_bytes();
    let ratio = library.config.limits.unpack_ratio;
    let bytes_max = packed.saturating_mul(ratio.into()).max(UNPACKED_DATA_BYTES_FREE).min(size_max);
    progress.expect(packed);
    // Nothing is left out but what a machine brings, so no file is fetched again.
    let refetch = Box::new(|_: &[u8]| {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it links to a file that is left out"))
    });
    let layers = Counted { archive: archive.flatten(bytes_max), library, progress, read: 0 };
    let mut layer = LayerReader::new(Filter::new(layers, Rules::default(), refetch));
    let written = save::store(library, &mut layer, progress, |_| {}).map_err(|error| match error {
        MakeError::Tree(error) if error.kind() == io::ErrorKind::InvalidData => {
            MakeError::Archive(error.to_string())
        }
        error => error,
    })?;
    let (layer, filter) = layer.finish();
    let image = OciImage::new(layer, &archive.run, &save::created(library));
    Ok(Made { written, saved: Some(Saved::new(image, filter.report(), &archive.run)) })
}

/// The layers of an archive, with the progress of their job.
struct Counted<'a> {
    archive: Flatten,
    library: &'a Library,
    progress: &'a Progress,
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        save::proceed(self.library, self.progress, self.read)?;
        let read = self.archive.read(buf)?;
        self.read += read as u64;
        Ok(read)
    }
}

fn refused(error: ArchiveError) -> MakeError {
    match error {
        ArchiveError::Refused(why) => MakeError::Archive(why),
        ArchiveError::Io(error) => MakeError::Tree(error),
    }
}

/// Replaces a compressed file by its content. The content must not be compressed itself: after a restart, the job would
/// unpack it again.
fn unpack_in_place(
    library: &Library,
    file: &Path,
    size_max: u64,
    format: Option<DiskFormat>,
    progress: &Progress,
) -> Result<(), MakeError> {
    let Some(packing) = packing(file)? else { return Ok(()) };
    let unpacked = file.with_extension(UNPACKED);
    let packed_bytes = file.metadata().map_or(0, |file| file.len());
    let (unpack_ratio, disk_space) = (library.config.limits.unpack_ratio, library.disk_space.as_ref());
    // Unpacking is estimated as half of the work.
    progress.expect(2 * packed_bytes);
    let data_max = packed_bytes.saturating_mul(unpack_ratio.into()).max(UNPACKED_DATA_BYTES_FREE);
    let keep_free = disk_space.and_then(|disk_space| disk_space.free_bytes().ok()).map_or(0, keep_free);
    let done = unpack(file, packing, &unpacked, size_max, |unpacked| {
        progress.reach(unpacked.packed_bytes);
        if let Some(stop) = progress.stopped() {
            return Err(MakeError::Stopped(stop));
        }
        if unpacked.data_bytes > data_max {
            let why = format!(
                "it unpacks to more than {unpack_ratio} times its size, zeros not counted; import it uncompressed"
            );
            return Err(DiskError::unusable(file, why).into());
        }
        if disk_space.is_some_and(|disk_space| disk_space.free_bytes().is_ok_and(|free| free < keep_free)) {
            return Err(no_space("unpack an uploaded file"));
        }
        Ok(())
    });
    let done = done.and_then(|()| {
        if format.is_none() && ImageArchive::open(&unpacked).map_err(refused)?.is_some() {
            return Ok(unpacked.metadata().map_or(0, |file| file.len()));
        }
        Ok(open_untrusted(&unpacked, size_max, format)?.len())
    });
    let length = done.inspect_err(|_| drop(fs::remove_file(&unpacked)))?;
    failpoint::reached("import.unpacked");
    let failed = |source| DiskError::Io { action: "replace", path: file.to_owned(), source };
    durable::rename(&unpacked, file).map_err(failed)?;
    failpoint::reached("import.replaced");
    progress.pass(length);
    Ok(())
}

/// The space that unpacking leaves free, in bytes.
fn keep_free(free_bytes: u64) -> u64 {
    (free_bytes / UNPACK_FREE_SHARE).max(MARGIN_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_leaves_a_quarter_and_the_margin() {
        assert_eq!(keep_free(100 << 30), 25 << 30);
        assert_eq!(keep_free(64 << 20), MARGIN_BYTES);
    }
}
