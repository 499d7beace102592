//! Estimates what making an image would read and store, from a sample. Stores nothing and claims nothing.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jingku_catalog::{AccountId, Instance};
use jingku_chunks::{CHUNK_SIZE, Known, ManifestId, cut_stream};
use jingku_sources::tree::Filter;
use jingku_sources::{Disk, DiskError, DiskReader};

use super::files::Files;
use super::make::{DeclaredDisk, MakeError};
use super::save::{SaveOptions, Saving, of_reading, rules};
use super::worker::own_manifests;
use crate::disk_space::needed_bytes;
use crate::error::Internal;
use crate::library::Library;

/// How long an estimate may read. What it has not read by then, it infers from what it has.
pub const ESTIMATE_TIME_MAX: Duration = Duration::from_secs(10);
/// The most chunks of a disk that an estimate compares, evenly spread over its data.
const SAMPLED_CHUNKS_MAX: u64 = 256;
/// The rate at which an image is expected to be made, in bytes per second, unless the sample was read more slowly.
const ASSUMED_RATE: u64 = 200_000_000;
/// The shortest sample, in bytes, whose rate is used.
const RATE_BYTES_MIN: u64 = 64 << 20;

/// What making an image would read and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// What would be read, in bytes: data of a disk, or files of a container.
    pub size_bytes: u64,
    /// How much of it was read and compared. Everything else is inferred; at 0, nothing is known.
    pub sampled_bytes: u64,
    /// How much of it no image of the account has, before compression. Data of other accounts is not disclosed.
    pub new_bytes: u64,
    /// How long making the image would take.
    pub seconds: u64,
}

/// Why there is no estimate.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// What its owner reads: the instance cannot be read.
    #[error("{0}")]
    NotReadable(String),
    /// Our fault.
    #[error(transparent)]
    Inside(#[from] Internal),
}

impl Library {
    /// Estimates the image of an instance. Reads for at most [`ESTIMATE_TIME_MAX`]. A container is not paused.
    pub async fn estimate(
        self: Arc<Self>,
        account: AccountId,
        instance: Instance,
        options: SaveOptions,
    ) -> Result<Estimate, EstimateError> {
        let instance_id = instance.id.clone();
        let own = own_manifests(&self, account).await;
        let sample = match instance.container.clone() {
            Some(facts) => match Saving::find(&self, instance, &facts, String::new(), options).await {
                Ok(saving) => on_thread(move || sample_container(&self, &saving, &own)).await?,
                Err(error) => Err(error),
            },
            None => on_thread(move || sample_disk(&self, &instance.disk, &own)).await?,
        };
        match sample {
            Ok(sample) => Ok(sample.estimate()),
            Err(MakeError::Inside(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(instance_id, error = &error as &dyn Error, "cannot estimate an image");
                Err(EstimateError::NotReadable(error.reason()))
            }
        }
    }
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Internal> {
    tokio::task::spawn_blocking(work).await.map_err(Internal::Task)
}

/// What was read, and of how much.
struct Sample {
    size_bytes: u64,
    read_bytes: u64,
    new_bytes: u64,
    took: Duration,
}

impl Sample {
    fn none(size_bytes: u64) -> Self {
        Self { size_bytes, read_bytes: 0, new_bytes: 0, took: Duration::ZERO }
    }

    /// Counts a chunk.
    fn add(&mut self, known: &Known, chunk: &[u8]) {
        let length = chunk.len() as u64;
        self.read_bytes += length;
        // Zeros are not stored.
        if chunk.iter().any(|byte| *byte != 0) && !known.contains(chunk) {
            self.new_bytes += length;
        }
    }

    fn estimate(&self) -> Estimate {
        let new_bytes = scale(self.size_bytes, self.new_bytes, self.read_bytes).unwrap_or(self.size_bytes);
        let millis = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let rate = scale(self.read_bytes, 1000, millis).filter(|_| self.read_bytes >= RATE_BYTES_MIN);
        let rate = rate.unwrap_or(ASSUMED_RATE).clamp(1, ASSUMED_RATE);
        Estimate {
            size_bytes: self.size_bytes,
            sampled_bytes: self.read_bytes,
            new_bytes,
            seconds: self.size_bytes.div_ceil(rate),
        }
    }
}

/// `number` × `part` ÷ `whole`; `None` if `whole` is 0.
fn scale(number: u64, part: u64, whole: u64) -> Option<u64> {
    let scaled = (u128::from(number) * u128::from(part)).checked_div(u128::from(whole))?;
    Some(u64::try_from(scaled).unwrap_or(u64::MAX))
}

/// Reads the files of a container from the start until the end or the deadline. Reads none from an engine: Podman writes
/// the whole archive to a temporary file first.
fn sample_container(library: &Library, saving: &Saving, own: &[ManifestId]) -> Result<Sample, MakeError> {
    let began = Instant::now();
    let deadline = began + ESTIMATE_TIME_MAX;
    let mut sample = Sample::none(u64::try_from(saving.instance.size_bytes).unwrap_or(0));
    let files = Files::find(library, &saving.engine, &saving.container);
    if let Files::Engine(..) = files {
        return Ok(sample);
    }
    let known = library.store.known(own)?;
    let mut read = || {
        let archive = Until { source: files.all().map_err(of_reading)?, deadline };
        let filter = Filter::new(archive, rules(library, saving, &files)?, files.refetch());
        for chunk in cut_stream(filter) {
            sample.add(&known, &chunk.map_err(of_reading)?);
        }
        Ok(())
    };
    let read = read();
    sample.took = began.elapsed();
    match read {
        Ok(()) => sample.size_bytes = sample.read_bytes,
        Err(_) if Instant::now() >= deadline => sample.size_bytes = sample.size_bytes.max(sample.read_bytes),
        // A save would ask the engine.
        Err(MakeError::Root(_)) => return Ok(Sample::none(sample.size_bytes)),
        Err(error) => return Err(error),
    }
    Ok(sample)
}

/// Reads chunks that are evenly spread over the data of a disk.
fn sample_disk(library: &Library, disk: &str, own: &[ManifestId]) -> Result<Sample, MakeError> {
    let began = Instant::now();
    let deadline = began + ESTIMATE_TIME_MAX;
    let DeclaredDisk { disk, .. } = serde_json::from_str(disk)
        .map_err(|error| Internal::BadRow(format!("disk of an instance: {error}")))?;
    let Some(reader) = open(library, &disk)? else { return Ok(Sample::none(needed_bytes(&disk))) };
    let (mut count, mut size_bytes) = (0, 0);
    let counted = each_chunk(&reader, deadline, |_, length| {
        count += 1;
        size_bytes += length;
        Ok(())
    })?;
    if !counted {
        return Ok(Sample::none(needed_bytes(&disk)));
    }
    let known = library.store.known(own)?;
    let (mut sample, mut index, mut buf) = (Sample::none(size_bytes), 0, Vec::new());
    let reading = Instant::now();
    each_chunk(&reader, deadline, |offset, length| {
        let share = |index: u64| index * SAMPLED_CHUNKS_MAX / count;
        if index == 0 || share(index) > share(index - 1) {
            buf.resize(usize::try_from(length).unwrap_or(0), 0);
            reader.read_exact_at(offset, &mut buf)?;
            sample.add(&known, &buf);
        }
        index += 1;
        Ok(())
    })?;
    sample.took = reading.elapsed();
    Ok(sample)
}

/// Opens a disk; `None` if that would need a copy of it.
fn open(library: &Library, disk: &Disk) -> Result<Option<DiskReader>, MakeError> {
    let scratch = library.scratch.clone().unwrap_or_else(std::env::temp_dir);
    match disk.open_while(&scratch, &|| false) {
        Ok(reader) => Ok(Some(reader)),
        Err(DiskError::Stopped { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Visits the offset and length of each chunk with data, as a job cuts them. Returns false if the deadline passed before
/// the end.
fn each_chunk(
    reader: &DiskReader,
    deadline: Instant,
    mut visit: impl FnMut(u64, u64) -> Result<(), MakeError>,
) -> Result<bool, MakeError> {
    let mut at = 0;
    while let Some(data) = reader.next_data(at)? {
        at = at.max(data.start / CHUNK_SIZE * CHUNK_SIZE);
        while at < data.end {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            let length = CHUNK_SIZE.min(reader.len() - at);
            visit(at, length)?;
            at += length;
        }
    }
    Ok(true)
}

/// Fails at a deadline.
struct Until<R> {
    source: R,
    deadline: Instant,
}

impl<R: Read> Read for Until<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.source.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_is_inferred() {
        let sample =
            Sample { size_bytes: 4 << 30, read_bytes: 1 << 30, new_bytes: 1 << 28, took: Duration::ZERO };
        let estimate =
            Estimate { size_bytes: 4 << 30, sampled_bytes: 1 << 30, new_bytes: 1 << 30, seconds: 22 };
        assert_eq!(sample.estimate(), estimate);
        let slow = Sample { took: Duration::from_secs(10), ..sample };
        assert_eq!(slow.estimate().seconds, 41);
    }

    #[test]
    fn without_a_sample_all_counts_as_new() {
        let estimate = Sample::none(1000).estimate();
        assert_eq!((estimate.sampled_bytes, estimate.new_bytes, estimate.seconds), (0, 1000, 1));
        assert_eq!(Sample::none(0).estimate().new_bytes, 0);
    }
}
