//! Makes an image of a disk: reads it, cuts it into chunks and stores them. Blocks.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jingku_chunks::{RUN_BYTES_MAX, Source, Store, Writer, Written};
use jingku_engine::EngineError;
use jingku_sources::content::Caution;
use jingku_sources::{Disk, DiskError, DiskReader, Pattern};
use serde::{Deserialize, Serialize};

use super::progress::{Progress, StopReason, percent_of};
use super::saved::Saved;
use crate::disk_space::DiskSpace;
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::limits::DISK_BYTES_MAX;
use crate::lock::lock;
use crate::sentence::clause;

/// What a job made.
pub(super) struct Made {
    pub(super) written: Written,
    /// What only the image of a container has.
    pub(super) saved: Option<Saved>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error("stopped: {0:?}")]
    Stopped(StopReason),
    #[error("the instance is gone")]
    InstanceGone,
    /// A fixtures file declares that the instance fails.
    #[error("declared to fail: {0}")]
    Declared(String),
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The uploaded file cannot be read.
    #[error(transparent)]
    File(DiskError),
    /// The engine does not give the container.
    #[error(transparent)]
    Engine(EngineError),
    /// The engine does not pause the container.
    #[error("the container is not paused: {0}")]
    Pause(EngineError),
    /// The files of the container, or of an archive, cannot be read whole.
    #[error("the files cannot be read: {0}")]
    Tree(io::Error),
    /// The root directory of the container cannot be read.
    #[error("the root directory cannot be read: {0}")]
    Root(io::Error),
    /// The list of what to leave out is refused.
    #[error("the patterns of files to leave out are refused: {0}")]
    Pattern(String),
    /// The uploaded archive of an image is refused.
    #[error("the archive is refused: {0}")]
    Archive(String),
    /// There are more bytes than an image may have.
    #[error("the files have more than {} GB", DISK_BYTES_MAX >> 30)]
    TooLarge,
    #[error(transparent)]
    Store(jingku_chunks::Error),
    #[error(transparent)]
    Inside(#[from] Internal),
}

impl MakeError {
    /// What the owner of the image reads: advice without details of the host, such as paths.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Stopped(StopReason::Overdue) => {
                "Making the image took longer than it may for its size. Make a smaller image, or ask the operator to give \
                 it more time (`deadline_minutes`), then make it again."
            }
            Self::Stopped(_) => "Making the image was stopped. Delete this image and make it again.",
            Self::InstanceGone => "The instance does not exist any more.",
            Self::Declared(reason) => reason,
            Self::Disk(error) => disk_reason(error),
            Self::File(error) => return file_reason(error),
            Self::Engine(EngineError::NotFound(_)) => "The container does not exist any more.",
            Self::Engine(EngineError::Conflict(_) | EngineError::Failed(_)) => {
                "The container engine reports an error. Ask the operator to look at the server's log, then make the image \
                 again."
            }
            Self::Pause(_) => {
                "The container engine cannot pause the container. Make the image again without `--pause`, or ask the \
                 operator to look at the server's log."
            }
            Self::Engine(_) => {
                "The container engine does not answer. Ask the operator to look at it, then make the image again."
            }
            Self::Tree(error) if error.kind() == io::ErrorKind::InvalidData => {
                return format!(
                    "The files of the container could not be read whole: {}. Make the image again; if that fails too, \
                     ask the operator to look at the server's log.",
                    clause(error)
                );
            }
            Self::Tree(_) | Self::Root(_) => {
                "The files of the container could not be read. Make the image again; if that fails too, ask the operator \
                 to look at the server's log."
            }
            Self::Pattern(why) => {
                return format!("The file /.jingkuignore of the container cannot be used: {}. Change it, then make the image again.", clause(why));
            }
            Self::Archive(why) => return format!("No image can be made of the archive: {}.", clause(why)),
            Self::TooLarge => "The files have more than the 1000 GB that an image may have. Leave some out with /.jingkuignore.",
            Self::Store(jingku_chunks::Error::NoSpace { .. }) => {
                "The image store is full. Ask the operator to make room, then make the image again."
            }
            Self::Store(_) | Self::Inside(_) => {
                "The image could not be stored. Ask the operator to look at the server's log, then make the image again."
            }
        }
        .to_owned()
    }
}

/// What a tenant reads about an unreadable disk. The log has the path and the details.
pub fn disk_reason(error: &DiskError) -> &'static str {
    match error {
        DiskError::Backing(_, source) => disk_reason(source),
        DiskError::NotFound { .. } => {
            "The disk of the instance is not there. Ask the operator to put it back."
        }
        DiskError::Unusable { .. } | DiskError::NotADisk { .. } | DiskError::Packed { .. } => {
            "The disk of the instance cannot be used. Ask the operator to look at it."
        }
        DiskError::Damaged { .. } => "The disk of the instance is damaged. Ask the operator to repair it.",
        DiskError::Redeclare { .. } => {
            "The disk of the instance is not the one that was declared. Ask the operator to declare it again."
        }
        DiskError::InUse { .. } => "The instance is running. Stop it, then make the image again.",
        DiskError::Changed { .. } => {
            "The disk changed while it was read. Stop the instance, then make the image again."
        }
        DiskError::Converter { .. } | DiskError::Stopped { .. } | DiskError::Io { .. } => {
            "The disk of the instance cannot be read. Ask the operator to look at the server's log."
        }
    }
}

/// What a tenant reads about the file that it uploaded: the problem of the file, but not its path.
fn file_reason(error: &DiskError) -> String {
    match error {
        DiskError::Unusable(_, why) => format!("No image can be made of the file: {}.", clause(why)),
        DiskError::NotADisk(_, foreign) => {
            let advice = match foreign.command {
                Some(command) => format!("Make a raw or qcow2 disk of it first: `{command}`."),
                None => "Check that it is the right file.".to_owned(),
            };
            let name = foreign.name;
            format!(
                "No image can be made of the file: it looks like {name}. {advice} If it is a raw disk all the same, \
                 import it with `--format raw`."
            )
        }
        DiskError::Packed(_, fault) => format!("No image can be made of the file: {}.", clause(fault)),
        DiskError::Damaged(_, why) => format!("The file is damaged: {}.", clause(why)),
        DiskError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "The server has no room to unpack the file. Ask the operator to make room, then import it again."
                .to_owned()
        }
        DiskError::NotFound { .. }
        | DiskError::Backing { .. }
        | DiskError::Redeclare { .. }
        | DiskError::InUse { .. }
        | DiskError::Changed { .. }
        | DiskError::Converter { .. }
        | DiskError::Stopped { .. }
        | DiskError::Io { .. } => {
            "The uploaded file is not as it was on the server any more. Import it again; \
             if that fails too, ask the operator to look at the server's log."
                .to_owned()
        }
    }
}

impl From<jingku_chunks::Error> for MakeError {
    fn from(error: jingku_chunks::Error) -> Self {
        // A read error of the writer concerns the disk, not the store.
        match error {
            jingku_chunks::Error::Source(source) => match source.downcast() {
                Ok(disk) => Self::Disk(*disk),
                Err(source) => Self::Store(jingku_chunks::Error::Source(source)),
            },
            error => Self::Store(error),
        }
    }
}

/// A disk that the threads of the store read.
pub(super) struct DiskSource(pub(super) DiskReader);

impl Source for DiskSource {
    fn read_exact_at(
        &self,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.read_exact_at(offset, buf)?)
    }

    fn reads_small(&self) -> bool {
        self.0.reads_small()
    }
}

/// The content of the disk column of an instance: the disk, and the declarations of a fixtures file.
#[derive(Serialize, Deserialize)]
pub struct DeclaredDisk {
    /// The disk.
    #[serde(flatten)]
    pub disk: Disk,
    /// Whether making an image of it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<DeclaredFailure>,
    /// A warning about its content from the time of declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<Caution>,
}

/// A declared failure of every job of an instance.
#[derive(Serialize, Deserialize)]
pub struct DeclaredFailure {
    /// What the owner of the image reads.
    pub reason: String,
    /// The progress at which the job fails.
    pub at_percent: u8,
}

/// Makes the image of a disk that an instance's row describes.
pub(super) fn make(library: &Library, disk: &str, progress: &Progress) -> Result<Made, MakeError> {
    failpoint::passed("make.begun");
    let (scratch, disk_space) = (library.scratch.clone(), library.disk_space.as_ref());
    let scratch = scratch.unwrap_or_else(std::env::temp_dir);
    let DeclaredDisk { disk, fails, caution } = serde_json::from_str(disk)
        .map_err(|error| Internal::BadRow(format!("disk of an instance: {error}")))?;
    progress.expect(disk.size_bytes);
    progress.set_caution(caution);
    let proceed = || progress.stopped().is_none() && !disk_space.is_some_and(DiskSpace::is_full);
    let opened = disk.open_while(&scratch, &proceed).map_err(|error| match (error, progress.stopped()) {
        (DiskError::Stopped { .. }, Some(stop)) => MakeError::Stopped(stop),
        (DiskError::Stopped { .. }, None) => no_space("convert a disk"),
        (error, _) => error.into(),
    })?;
    let reader = Arc::new(DiskSource(opened));
    let mut writer = library.store.writer(reader.0.len())?;
    copy(&reader, &mut writer, progress, fails.as_ref(), disk_space)?;
    let sealed = writer.finish_chunks()?;
    reader.0.unchanged()?;
    failpoint::reached("make.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("make.manifest_durable");
    Ok(Made { written, saved: None })
}

/// Stores a pattern disk of this size. The result must be kept until rows name its manifest.
pub async fn store_pattern(store: &Store, size_bytes: u64) -> Result<Written, Internal> {
    let store = store.clone();
    let stored = tokio::task::spawn_blocking(move || {
        let disk = Disk::of_pattern(Pattern { seed: 0 }, size_bytes);
        // A pattern needs no scratch folder.
        let reader = Arc::new(DiskSource(disk.open(Path::new(""))?));
        let mut writer = store.writer(size_bytes)?;
        copy(&reader, &mut writer, &Progress::default(), None, None)?;
        Ok::<_, MakeError>(writer.finish_chunks()?.write_manifest()?)
    });
    match stored.await? {
        Ok(written) => Ok(written),
        Err(MakeError::Store(error)) => Err(Internal::Store(error)),
        Err(error) => Err(Internal::BadRow(error.to_string())),
    }
}

pub(super) fn copy(
    reader: &Arc<DiskSource>,
    writer: &mut Writer,
    progress: &Progress,
    fails: Option<&DeclaredFailure>,
    disk_space: Option<&DiskSpace>,
) -> Result<(), MakeError> {
    writer.compare_with(&progress.own_manifests)?;
    let (length, chunk_bytes) = (reader.0.len(), writer.chunk_size());
    let mut at = 0;
    reach(0, length, progress, fails)?;
    while at < length {
        let Some(data) = reader.0.next_data(at)? else {
            writer.zeros(length - at)?;
            at = length;
            break;
        };
        let start = data.start / chunk_bytes * chunk_bytes;
        if start > at {
            writer.zeros(start - at)?;
            at = start;
        }
        if disk_space.is_some_and(DiskSpace::is_full) {
            return Err(no_space("make an image"));
        }
        // Up to the end of the last chunk with data, but at most one run.
        let end = data.end.next_multiple_of(chunk_bytes).min(at + RUN_BYTES_MAX).min(length);
        writer.pull(end - at, reader)?;
        for _ in 0..(end - at).div_ceil(chunk_bytes) {
            failpoint::reached("make.chunk");
        }
        at = end;
        lock(&progress.bytes).present = writer.known_plain_bytes();
        reach(at, length, progress, fails)?;
    }
    reach(at, length, progress, fails)
}

/// The error of a disk that is full except for the margin.
pub(super) fn no_space(doing: &str) -> MakeError {
    jingku_chunks::Error::NoSpace { doing: format!("{doing} and leave the catalogue some") }.into()
}

/// Reports progress. Fails if the job was asked to stop or is declared to fail here.
fn reach(
    at: u64,
    length: u64,
    progress: &Progress,
    fails: Option<&DeclaredFailure>,
) -> Result<(), MakeError> {
    let end = fails.map(|failure| (percent_of(length, failure.at_percent), failure));
    progress.reach(end.as_ref().map_or(at, |(end, _)| at.min(*end)));
    if let Some(stop) = progress.stopped() {
        return Err(MakeError::Stopped(stop));
    }
    match end {
        Some((end, failure)) if at >= end => Err(MakeError::Declared(failure.reason.clone())),
        _ => Ok(()),
    }
}
