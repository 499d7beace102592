//! Objects whose name is known only at their end: manifests.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use object_store::{MultipartUpload, ObjectStoreExt};
use tempfile::SpooledTempFile;

use super::shared::Shared;
use super::trouble::Trouble;
use crate::backend::{Existing, Outcome, Stage};
use crate::error::{Error, Result};
use crate::key::Key;

/// The most bytes that are sent at once, and kept in memory before they are written to a temporary file.
const PART_BYTES: u64 = 8 << 20;
/// The most parts of one object in S3.
const PARTS_MAX: u64 = 10_000;
/// The parts of one object in flight.
const PARTS_AT_ONCE: usize = 4;

/// Keeps the bytes outside the bucket until their name is known: an object cannot be renamed.
pub(super) struct BucketStage {
    shared: Arc<Shared>,
    file: SpooledTempFile,
    length: u64,
}

impl BucketStage {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let memory = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
        let scratch = shared.scratch.clone().unwrap_or_else(std::env::temp_dir);
        Self { shared: Arc::clone(shared), file: SpooledTempFile::new_in(memory, scratch), length: 0 }
    }

    fn read(&mut self, bytes: u64) -> Result<Bytes, Trouble> {
        let mut part = Vec::new();
        Read::by_ref(&mut self.file).take(bytes).read_to_end(&mut part).map_err(Trouble::Io)?;
        Ok(part.into())
    }

    fn send(&mut self, key: Key) -> Result<(), Trouble> {
        self.file.seek(SeekFrom::Start(0)).map_err(Trouble::Io)?;
        if self.length <= PART_BYTES {
            let whole = self.read(PART_BYTES)?;
            return self.shared.put(key, whole);
        }
        let (requests, path) = (Arc::clone(&self.shared), self.shared.path(key));
        let s3 = requests.requests.s3.clone();
        let mut upload = requests.requests.run(async move { Ok(s3.put_multipart(&path).await?) })?;
        let part_bytes = PART_BYTES.max(self.length.div_ceil(PARTS_MAX));
        let sent = self.send_parts(upload.as_mut(), part_bytes);
        requests.requests.run(async move {
            let done = match sent {
                Ok(()) => upload.complete().await.map(drop).map_err(Trouble::from),
                Err(trouble) => Err(trouble),
            };
            if done.is_err() {
                // The parts would be paid for forever. The service may be unreachable; docs/operate/object-storage.md has
                // a rule that removes the rest.
                let _ = upload.abort().await;
            }
            done
        })
    }

    fn send_parts(&mut self, upload: &mut dyn MultipartUpload, part_bytes: u64) -> Result<(), Trouble> {
        loop {
            let mut sending = Vec::new();
            while sending.len() < PARTS_AT_ONCE {
                let part = self.read(part_bytes)?;
                if part.is_empty() {
                    break;
                }
                sending.push(upload.put_part(part.into()));
            }
            if sending.is_empty() {
                return Ok(());
            }
            self.shared.requests.run(async move {
                // Waits for all, also if one fails: a part that arrives after the upload was aborted is kept.
                join_all(sending).await.into_iter().try_for_each(|sent| Ok(sent?))
            })?;
        }
    }
}

impl Stage for BucketStage {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| Error::io("write a temporary file", error))
    }

    fn commit(mut self: Box<Self>, key: Key, _: Existing) -> Result<Outcome> {
        self.send(key).map_err(|trouble| trouble.of(format!("write {key}")))?;
        Ok(Outcome::Stored)
    }
}
