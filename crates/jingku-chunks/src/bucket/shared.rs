//! What a bucket, its objects being read and those being written have in common.

use std::path::PathBuf;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::requests::Requests;
use super::settings::BucketUrl;
use super::trouble::Trouble;
use crate::key::Key;

/// The most bytes that are read with one request: more than a chunk usually has.
pub(super) const READ_BYTES: u64 = 1 << 20;

pub(super) struct Shared {
    pub(super) url: BucketUrl,
    pub(super) requests: Requests,
    /// A folder for manifests that are being written; that of the system if absent.
    pub(super) scratch: Option<PathBuf>,
}

impl Shared {
    pub(super) fn path(&self, key: Key) -> Path {
        self.url.path(&format!("{}/{:02x}/{}", key.kind().folder(), key.prefix(), key.name()))
    }

    pub(super) fn put(&self, key: Key, object: Bytes) -> Result<(), Trouble> {
        let (s3, path) = (self.requests.s3.clone(), self.path(key));
        self.requests.run(async move { Ok(s3.put(&path, object.into()).await.map(drop)?) })
    }

    pub(super) fn get(&self, key: Key, offset: u64, length: u64) -> Result<(Bytes, u64), Trouble> {
        self.get_path(self.path(key), offset, length)
    }

    /// Reads up to `length` bytes, at least one, and returns them with the length of the whole object.
    pub(super) fn get_path(&self, path: Path, offset: u64, length: u64) -> Result<(Bytes, u64), Trouble> {
        let s3 = self.requests.s3.clone();
        self.requests.run(async move {
            let range = GetRange::Bounded(offset..offset.saturating_add(length));
            let options = GetOptions { range: Some(range), ..GetOptions::default() };
            match s3.get_opts(&path, options).await {
                Ok(found) => {
                    let whole = found.meta.size;
                    Ok((found.bytes().await?, whole))
                }
                Err(error) => {
                    let missing = matches!(error, object_store::Error::NotFound { .. });
                    // A range that begins at the end of an object, as of an empty one, is an error in HTTP.
                    match if missing { None } else { s3.head(&path).await.ok() } {
                        Some(meta) if meta.size <= offset => Ok((Bytes::new(), meta.size)),
                        _ => Err(error.into()),
                    }
                }
            }
        })
    }
}
