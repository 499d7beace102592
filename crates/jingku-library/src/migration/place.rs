//! The store that images are moved from or to.

use std::sync::Arc;

use jingku_chunks::{Bucket, Disk, Error, Store};

use super::MigrationError;
use crate::chunk_store::store;
use crate::config::{S3Settings, StorageUrl};
use crate::data_dir::DataDir;
use crate::objects::BucketStorage;

/// Where to move the data of images.
#[derive(Clone, Debug)]
pub enum StoreTarget {
    /// The folder `store` of the data directory.
    Folder,
    /// A bucket, and how to reach it.
    Bucket(StorageUrl, S3Settings),
}

/// An opened store with its mark.
#[derive(Clone)]
pub(super) enum Place {
    Folder(DataDir),
    Bucket(BucketStorage, Arc<Bucket>),
}

impl Place {
    /// Opens an existing bucket, or the folder `store`.
    pub(super) async fn open(data: &DataDir, bucket: Option<BucketStorage>) -> Result<Self, MigrationError> {
        Ok(match bucket {
            None => Self::Folder(data.clone()),
            Some(bucket) => {
                let opened = bucket.open_without_claims(data).await?;
                Self::Bucket(bucket, Arc::new(opened))
            }
        })
    }

    /// Does the same, and creates the store if it does not exist. `owner` is the id of the catalogue in buckets.
    pub(super) async fn open_or_create(
        data: &DataDir,
        bucket: Option<BucketStorage>,
        owner: String,
    ) -> Result<(Self, Store), MigrationError> {
        Ok(match bucket {
            None => {
                let path = data.path().join("store");
                let disk = match Disk::open(&path) {
                    Err(Error::UnknownFormat { found, .. }) if found.is_empty() => Disk::create(&path),
                    opened => opened,
                };
                (Self::Folder(data.clone()), store(disk?))
            }
            Some(bucket) => {
                let opened = Arc::new(bucket.open_target(data, owner).await?);
                (Self::Bucket(bucket, Arc::clone(&opened)), store(opened))
            }
        })
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Folder(data) => data.path().join("store").display().to_string(),
            Self::Bucket(bucket, _) => bucket.name(),
        }
    }

    /// Where the images are, if not here.
    pub(super) async fn elsewhere(&self) -> Result<Option<String>, MigrationError> {
        match self {
            Self::Folder(data) => Ok(data.store_elsewhere()?),
            Self::Bucket(_, bucket) => {
                let bucket = Arc::clone(bucket);
                Ok(tokio::task::spawn_blocking(move || bucket.elsewhere()).await??)
            }
        }
    }

    pub(super) async fn set_elsewhere(&self, place: Option<String>) -> Result<(), MigrationError> {
        match self {
            Self::Folder(data) => Ok(data.set_store_elsewhere(place.as_deref())?),
            Self::Bucket(_, bucket) => {
                let bucket = Arc::clone(bucket);
                let set = move || bucket.set_elsewhere(place.as_deref());
                Ok(tokio::task::spawn_blocking(set).await??)
            }
        }
    }

    /// Makes this the store of the data directory.
    pub(super) fn record(&self, data: &DataDir) -> Result<(), MigrationError> {
        let recorded = match self {
            Self::Folder(_) => BucketStorage::forget(data),
            Self::Bucket(bucket, _) => bucket.record(data),
        };
        Ok(recorded?)
    }
}

impl StoreTarget {
    pub(super) fn bucket(&self) -> Option<BucketStorage> {
        match self {
            Self::Folder => None,
            Self::Bucket(url, s3) => Some(BucketStorage::new(url.clone(), s3.clone())),
        }
    }
}
