//! From a disk to a manifest: read, cut, hand to the store. Blocking, on a thread of its own.

use std::path::Path;
use std::sync::Arc;

use jingku_chunks::{RUN_BYTES_MAX, Source, Store, Writer, Written};
use jingku_sources::content::Caution;
use jingku_sources::{Disk, DiskError, DiskReader, Pattern};
use serde::{Deserialize, Serialize};

use super::progress::{Progress, StopReason, percent_of};
use crate::disk_space::{DiskSpace, MARGIN_BYTES};
use crate::error::Internal;
use crate::failpoint;
use crate::sentence::clause;

/// Why an image is not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    /// Somebody asked the job to stop.
    #[error("stopped: {0:?}")]
    Stopped(StopReason),
    /// The instance was forgotten meanwhile.
    #[error("the instance is gone")]
    InstanceGone,
    /// The instance was declared to fail, by a fixtures file.
    #[error("declared to fail: {0}")]
    Declared(String),
    /// The disk cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file that was uploaded cannot be read.
    #[error(transparent)]
    File(DiskError),
    /// The chunks cannot be stored.
    #[error(transparent)]
    Store(jingku_chunks::Error),
    /// What does not concern the instance.
    #[error(transparent)]
    Inside(Internal),
}

impl MakeError {
    /// What the owner of the image is told: what to do, and nothing of the host, such as paths.
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

/// What a tenant is told of a disk that cannot be read; the operator's log has the path and the details.
pub fn disk_reason(error: &DiskError) -> &'static str {
    match error {
        DiskError::Backing { source, .. } => disk_reason(source),
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

/// What a tenant is told of a file that he uploaded. What is wrong with it is his to know; where it lies is not.
fn file_reason(error: &DiskError) -> String {
    match error {
        DiskError::Unusable { why, .. } => format!("No image can be made of the file: {}.", clause(why)),
        DiskError::NotADisk { foreign, .. } => {
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
        DiskError::Packed { fault, .. } => format!("No image can be made of the file: {}.", clause(fault)),
        DiskError::Damaged { why, .. } => format!("The file is damaged: {}.", clause(why)),
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
        // What the writer could not read is the disk's matter, not the store's.
        match error {
            jingku_chunks::Error::Source(source) => match source.downcast() {
                Ok(disk) => Self::Disk(*disk),
                Err(source) => Self::Store(jingku_chunks::Error::Source(source)),
            },
            error => Self::Store(error),
        }
    }
}

/// The disk as the store's threads read it.
pub(super) struct Readable(pub(super) DiskReader);

impl Source for Readable {
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

impl From<tokio::task::JoinError> for MakeError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Inside(Internal::Task(error))
    }
}

/// What an instance's row holds: its disk, and what only a fixtures file declares.
#[derive(Serialize, Deserialize)]
pub struct DeclaredDisk {
    /// The disk.
    #[serde(flatten)]
    pub disk: Disk,
    /// Whether making an image of it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<DeclaredFailure>,
    /// What was to be said about its content when it was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<Caution>,
}

/// Making an image of the instance fails.
#[derive(Serialize, Deserialize)]
pub struct DeclaredFailure {
    /// What the owner of the image is told.
    pub reason: String,
    /// How far it comes.
    pub at_percent: u8,
}

/// Makes the image of a disk, as the instance's row describes it.
pub(super) fn make(
    store: &Store,
    disk: &str,
    scratch: &Path,
    progress: &Progress,
    disk_space: Option<&DiskSpace>,
) -> Result<Written, MakeError> {
    let DeclaredDisk { disk, fails, caution } = serde_json::from_str(disk)
        .map_err(|error| MakeError::Inside(Internal::BadRow(format!("disk of an instance: {error}"))))?;
    progress.set_total(disk.size_bytes);
    progress.set_caution(caution);
    let proceed = || progress.stopped().is_none() && !disk_space.is_some_and(is_used_up);
    let opened = disk.open_while(scratch, &proceed).map_err(|error| match (error, progress.stopped()) {
        (DiskError::Stopped { .. }, Some(stop)) => MakeError::Stopped(stop),
        (DiskError::Stopped { .. }, None) => no_space("convert a disk"),
        (error, _) => error.into(),
    })?;
    let reader = Arc::new(Readable(opened));
    let mut writer = store.writer(reader.0.len())?;
    copy(&reader, &mut writer, progress, fails.as_ref(), disk_space)?;
    let sealed = writer.finish_chunks()?;
    reader.0.unchanged()?;
    failpoint::reached("make.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("make.manifest_durable");
    Ok(written)
}

/// Stores the pattern of a disk of this size, as if it had been made an image of. What comes back is to be kept until
/// the rows that name its manifest are there.
pub async fn store_pattern(store: &Store, size_bytes: u64) -> Result<Written, Internal> {
    let store = store.clone();
    let stored = tokio::task::spawn_blocking(move || {
        let disk = Disk::of_pattern(Pattern { seed: 0 }, size_bytes);
        // A pattern is read without a scratch folder.
        let reader = Arc::new(Readable(disk.open(Path::new(""))?));
        let mut writer = store.writer(size_bytes)?;
        copy(&reader, &mut writer, &Progress::new(0, None), None, None)?;
        Ok::<_, MakeError>(writer.finish_chunks()?.write_manifest()?)
    });
    match stored.await? {
        Ok(written) => Ok(written),
        Err(MakeError::Store(error)) => Err(Internal::Store(error)),
        Err(error) => Err(Internal::BadRow(error.to_string())),
    }
}

pub(super) fn copy(
    reader: &Arc<Readable>,
    writer: &mut Writer,
    progress: &Progress,
    fails: Option<&DeclaredFailure>,
    disk_space: Option<&DiskSpace>,
) -> Result<(), MakeError> {
    writer.compare_with(progress.own_manifests())?;
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
        if disk_space.is_some_and(is_used_up) {
            return Err(no_space("make an image"));
        }
        // To the end of the last chunk that holds data, as far as one stretch goes.
        let end = data.end.next_multiple_of(chunk_bytes).min(at + RUN_BYTES_MAX).min(length);
        writer.pull(end - at, reader)?;
        for _ in 0..(end - at).div_ceil(chunk_bytes) {
            failpoint::reached("make.chunk");
        }
        at = end;
        progress.set_present(writer.known_plain_bytes());
        reach(at, length, progress, fails)?;
    }
    reach(at, length, progress, fails)
}

/// What is free must stay so.
pub(super) fn no_space(doing: &str) -> MakeError {
    jingku_chunks::Error::NoSpace { doing: format!("{doing} and leave the catalogue some") }.into()
}

/// Whether what is free must stay so. Where nobody can tell, the store will.
pub(super) fn is_used_up(disk_space: &DiskSpace) -> bool {
    disk_space.free_bytes().is_ok_and(|free| free < MARGIN_BYTES)
}

/// Tells how far the job is, and ends it where it was asked to stop or is declared to fail.
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
