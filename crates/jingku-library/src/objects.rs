//! Opens the chunk store of a data directory: its folder `store`, or a bucket.
//!
//! The file `storage` of the data directory has the bucket and how to reach it, so that commands find it without the
//! configuration. The catalogue and the bucket have the same random id: a sweep guided by another catalogue would remove
//! all images.

use std::sync::Arc;

use jingku_catalog::Catalog;
use jingku_chunks::{Bucket, BucketSettings, Error, Store};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::chunk_store::store;
use crate::claims::{CatalogClaims, NoClaims};
use crate::config::{Config, S3Settings, StorageUrl};
use crate::data_dir::DataDir;
use crate::random::{Random, unique_id};
use crate::start_error::StartError;

/// The file of a data directory whose images are in a bucket.
const NAME: &str = "storage";

/// The bucket of a data directory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketStorage {
    url: StorageUrl,
    s3: S3Settings,
}

impl BucketStorage {
    pub(crate) fn new(url: StorageUrl, s3: S3Settings) -> Self {
        Self { url, s3 }
    }

    /// Finds the bucket of a data directory: that of the configuration, or else the last one. `None` if the images are in
    /// its folder `store`.
    pub(crate) fn of(data: &DataDir, config: &Config) -> Result<Option<Self>, StartError> {
        match config.storage.clone() {
            Some(url) => Ok(Some(Self { url, s3: config.s3.clone() })),
            None => Self::recorded(data),
        }
    }

    /// The bucket that the data directory has used last; `None` if the images are in its folder `store`.
    pub(crate) fn recorded(data: &DataDir) -> Result<Option<Self>, StartError> {
        let path = data.path().join(NAME);
        if !path.exists() {
            return Ok(None);
        }
        data.state(NAME).map(Some).ok_or(StartError::StorageFile(path))
    }

    /// Opens the store. Creates it only if no image needs it.
    pub(crate) async fn open(
        self,
        data: &DataDir,
        catalog: &Catalog,
        random: &dyn Random,
        needed: bool,
    ) -> Result<Store, StartError> {
        let is_new = Self::recorded(data)?.is_none_or(|known| known != self);
        if is_new && data.has_manifests() && data.store_elsewhere()?.is_none() {
            return Err(StartError::StoreInFolder(data.path().to_owned()));
        }
        let settings = self.settings(data);
        let owner = catalog.bucket_owner(&unique_id(random)).await?;
        let claims = Arc::new(CatalogClaims::start(catalog, unique_id(random), Handle::current()));
        let open = move || {
            let bucket = match Bucket::open(&settings, Arc::clone(&claims) as _) {
                Err(Error::UnknownFormat { found, .. }) if found.is_empty() && !needed => {
                    Bucket::create(&settings, claims)
                }
                opened => opened,
            }?;
            bucket.check_owner(&owner)?;
            Ok(bucket)
        };
        let bucket = self.refuse_elsewhere(run(open).await?).await?;
        if is_new {
            self.record(data)?;
        }
        Ok(store(bucket))
    }

    /// Opens an existing store for a library that changes nothing.
    pub(crate) async fn open_read_only(self, data: &DataDir) -> Result<Store, StartError> {
        let bucket = self.open_without_claims(data).await?;
        self.refuse_elsewhere(bucket).await.map(store)
    }

    /// Opens an existing store to which nothing is written that a sweep could remove.
    pub(crate) async fn open_without_claims(&self, data: &DataDir) -> Result<Bucket, StartError> {
        let settings = self.settings(data);
        run(move || Bucket::open(&settings, Arc::new(NoClaims))).await
    }

    /// Opens a store that no server uses yet, or creates it.
    pub(crate) async fn open_target(&self, data: &DataDir, owner: String) -> Result<Bucket, StartError> {
        let settings = self.settings(data);
        let open = move || {
            let bucket = match Bucket::open(&settings, Arc::new(NoClaims)) {
                Err(Error::UnknownFormat { found, .. }) if found.is_empty() => {
                    Bucket::create(&settings, Arc::new(NoClaims))
                }
                opened => opened,
            }?;
            bucket.check_owner(&owner)?;
            Ok(bucket)
        };
        run(open).await
    }

    /// Makes the bucket that of the data directory.
    pub(crate) fn record(&self, data: &DataDir) -> Result<(), StartError> {
        data.replace(NAME, &serde_json::to_string(self).expect("texts have a JSON form"))
    }

    /// Makes the folder `store` that of the data directory.
    pub(crate) fn forget(data: &DataDir) -> Result<(), StartError> {
        data.remove(NAME)
    }

    /// The URL of the bucket, and the service that has it.
    pub(crate) fn name(&self) -> String {
        let url = &self.url.0;
        self.s3.endpoint.as_ref().map_or_else(|| url.to_string(), |endpoint| format!("{url} ({endpoint})"))
    }

    async fn refuse_elsewhere(&self, bucket: Bucket) -> Result<Bucket, StartError> {
        let (bucket, place) = run(move || bucket.elsewhere().map(|place| (bucket, place))).await?;
        match place {
            Some(place) => Err(StartError::StoreElsewhere { store: self.name(), place }),
            None => Ok(bucket),
        }
    }

    fn settings(&self, data: &DataDir) -> BucketSettings {
        let S3Settings { endpoint, region, path_style, allow_http } = self.s3.clone();
        let scratch = Some(data.path().join("scratch")).filter(|path| path.exists());
        BucketSettings {
            url: self.url.0.clone(),
            endpoint,
            region,
            path_style,
            allow_http,
            key_pair: None,
            scratch,
        }
    }
}

/// Runs requests outside the threads of the runtime.
async fn run<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, StartError> {
    let done = tokio::task::spawn_blocking(act).await;
    let panicked = |error| StartError::Store(Error::Settings(format!("opening the bucket failed: {error}")));
    Ok(done.map_err(panicked)??)
}
