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
    /// Finds the bucket of a data directory: that of the configuration, or else the last one. `None` if the images are in
    /// its folder `store`.
    pub(crate) fn of(data: &DataDir, config: &Config) -> Result<Option<Self>, StartError> {
        match config.storage.clone() {
            Some(url) => Ok(Some(Self { url, s3: config.s3.clone() })),
            None => Self::read(data),
        }
    }

    fn read(data: &DataDir) -> Result<Option<Self>, StartError> {
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
        let is_new = Self::read(data)?.is_none_or(|known| known != self);
        if is_new && data.has_manifests() {
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
        let bucket = run(open).await?;
        if is_new {
            let text = serde_json::to_string(&self).expect("texts have a JSON form");
            data.replace(NAME, &text)?;
        }
        Ok(store(bucket))
    }

    /// Opens an existing store for a library that changes nothing.
    pub(crate) async fn open_read_only(self, data: &DataDir) -> Result<Store, StartError> {
        let settings = self.settings(data);
        run(move || Bucket::open(&settings, Arc::new(NoClaims))).await.map(store)
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
async fn run(open: impl FnOnce() -> Result<Bucket, Error> + Send + 'static) -> Result<Bucket, StartError> {
    let opened = tokio::task::spawn_blocking(open).await;
    let panicked = |error| StartError::Store(Error::Settings(format!("opening the bucket failed: {error}")));
    Ok(opened.map_err(panicked)??)
}
