//! The reference: the same client library, which only sends and receives objects.

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use jingku_chunks::S3Server;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use tokio::runtime::Runtime;

use super::object_store::BUCKET;

pub(super) struct PlainClient {
    runtime: Runtime,
    s3: AmazonS3,
}

pub(super) struct Object {
    path: Path,
    pub(super) bytes: u64,
}

impl PlainClient {
    pub(super) fn new(endpoint: String) -> Result<Self> {
        let (id, secret) = S3Server::key_pair();
        let builder = AmazonS3Builder::new().with_endpoint(endpoint).with_allow_http(true);
        let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
            s3: builder.with_bucket_name(BUCKET).build()?,
        })
    }

    pub(super) fn list(&self, below: &str) -> Result<Vec<Object>> {
        let object = |found: object_store::ObjectMeta| Object { path: found.location, bytes: found.size };
        let objects = self.s3.list(Some(&below.into())).map_ok(object);
        Ok(self.runtime.block_on(objects.try_collect())?)
    }

    /// Sends objects of the same sizes under other names.
    pub(super) fn copy(&self, objects: &[Object], in_flight: usize) -> Result<()> {
        let longest = objects.iter().map(|object| object.bytes).max().unwrap_or(0);
        let noise = bytes::Bytes::from({
            let mut noise = vec![0; usize::try_from(longest)?];
            fastrand::Rng::with_seed(1).fill(&mut noise);
            noise
        });
        let send = |object: &Object| {
            let path = format!("plain-{in_flight}/{}", object.path).into();
            let body = noise.slice(..usize::try_from(object.bytes).unwrap_or(0));
            async move { self.s3.put(&path, body.into()).await.map(drop) }
        };
        let sending = futures::stream::iter(objects).map(send).buffer_unordered(in_flight);
        Ok(self.runtime.block_on(sending.try_collect())?)
    }

    /// Reads objects and forgets them.
    pub(super) fn read(&self, objects: &[Object], in_flight: usize) -> Result<()> {
        let read = |object: &Object| {
            let (s3, path) = (self.s3.clone(), object.path.clone());
            async move { s3.get(&path).await?.bytes().await.map(drop) }
        };
        let reading = futures::stream::iter(objects).map(read).buffer_unordered(in_flight);
        Ok(self.runtime.block_on(reading.try_collect())?)
    }
}
