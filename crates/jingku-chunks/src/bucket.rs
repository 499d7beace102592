//! Objects in a bucket of an S3-compatible service, with the names of the files in a folder: `docs/format/README.md`.
//!
//! A service acknowledges an object only when it is complete and durable, and shows either the old or the new one. It
//! needs no conditional writes: whatever must happen once is decided elsewhere, by [`Claims`] in a database.

mod body;
mod deletion;
mod requests;
mod settings;
mod shared;
mod stage;
mod trouble;
mod uploads;

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use self::body::Body;
pub use self::requests::BUCKET_REQUESTS_MAX;
use self::requests::{REQUESTS_AT_ONCE, Requests};
pub use self::settings::{BucketSettings, BucketUrl};
use self::shared::{READ_BYTES, Shared};
use self::stage::BucketStage;
use self::trouble::Trouble;
use crate::backend::{Backend, Claim, ClaimWatch, Claims, Existing, Head, Object, Outcome, Stage};
use crate::error::{Error, Result};
use crate::format::FORMAT;
use crate::id::ChunkId;
use crate::key::{Key, Kind};
use crate::pipeline::WORKERS_MAX;

/// The object that says where the images are, if they are not in the bucket.
const ELSEWHERE: &str = "elsewhere";

/// The looks in a row that find nothing, after which a writer stores chunks without looking: 4 MiB of a disk, so that
/// changes of a known disk hardly cause it.
const MISSES_MAX: u64 = 16;

/// Stores objects in a bucket. Any number of machines may use it, if their [`Claims`] are in the same database.
pub struct Bucket {
    shared: Arc<Shared>,
    claims: Arc<dyn Claims>,
}

impl Bucket {
    /// Opens the store in a bucket. Fails with `UnknownFormat` if there is none or its version is unknown.
    pub fn open(settings: &BucketSettings, claims: Arc<dyn Claims>) -> Result<Self> {
        let bucket = Self::new(settings, claims)?;
        let found = match bucket.shared.get_path(bucket.shared.url.path("format"), 0, READ_BYTES) {
            Ok((found, _)) => found,
            Err(Trouble::NotFound) => Bytes::new(),
            Err(trouble) => return Err(trouble.of(format!("open the store in {}", settings.url))),
        };
        if found != FORMAT.as_bytes() {
            let found = String::from_utf8_lossy(&found).into_owned();
            return Err(Error::UnknownFormat { path: settings.url.to_string().into(), found });
        }
        Ok(bucket)
    }

    /// Creates an empty store in a bucket. Fails with `AlreadyExists` if there is any object below the prefix. Two
    /// machines that create the same store create one.
    pub fn create(settings: &BucketSettings, claims: Arc<dyn Claims>) -> Result<Self> {
        let bucket = Self::new(settings, claims)?;
        let (s3, url) = (bucket.shared.requests.s3.clone(), settings.url.clone());
        let created = bucket.shared.requests.run(async move {
            let found: Vec<_> = s3.list(Some(&url.path(""))).take(2).try_collect().await?;
            if found.iter().any(|object| object.location != url.path("format")) {
                return Ok(false);
            }
            s3.put(&url.path("format"), FORMAT.as_bytes().into()).await?;
            Ok(true)
        });
        match created {
            Ok(true) => Ok(bucket),
            Ok(false) => Err(Error::AlreadyExists(settings.url.to_string().into())),
            Err(trouble) => Err(trouble.of(format!("create a store in {}", settings.url))),
        }
    }

    /// Records the owner of the store, or compares it with the recorded one. Two owners would delete each other's chunks.
    pub fn check_owner(&self, owner: &str) -> Result<()> {
        let path = self.shared.url.path("owner");
        let doing = || format!("open the store in {}", self.shared.url);
        let read = || match self.shared.get_path(path.clone(), 0, READ_BYTES) {
            Err(Trouble::NotFound) => Ok(None),
            found => found.map(|(found, _)| Some(found)).map_err(|trouble| trouble.of(doing())),
        };
        if read()?.is_none() {
            let (s3, path, owner) = (self.shared.requests.s3.clone(), path.clone(), owner.to_owned());
            let put =
                self.shared.requests.run(async move { Ok(s3.put(&path, owner.into()).await.map(drop)?) });
            put.map_err(|trouble| trouble.of(doing()))?;
        }
        // Also what was just written: another machine may have done the same.
        if read()?.is_some_and(|found| found == owner.as_bytes()) {
            return Ok(());
        }
        let url = &self.shared.url;
        Err(Error::Settings(format!(
            "{url} belongs to another catalogue, whose images would be deleted. Use another prefix"
        )))
    }

    /// Returns where the images are, if they are not in this bucket: they were moved, or are being moved here.
    pub fn elsewhere(&self) -> Result<Option<String>> {
        match self.shared.get_path(self.shared.url.path(ELSEWHERE), 0, READ_BYTES) {
            Ok((place, _)) => Ok(Some(String::from_utf8_lossy(&place).into_owned())),
            Err(Trouble::NotFound) => Ok(None),
            Err(trouble) => Err(trouble.of(format!("open the store in {}", self.shared.url))),
        }
    }

    /// Records where the images are; `None` for in this bucket.
    pub fn set_elsewhere(&self, place: Option<&str>) -> Result<()> {
        let (s3, path) = (self.shared.requests.s3.clone(), self.shared.url.path(ELSEWHERE));
        let place = place.map(str::to_owned);
        let set = self.shared.requests.run(async move {
            match place {
                Some(place) => Ok(s3.put(&path, place.into()).await.map(drop)?),
                None => match s3.delete(&path).await {
                    Err(object_store::Error::NotFound { .. }) => Ok(()),
                    deleted => Ok(deleted?),
                },
            }
        });
        set.map_err(|trouble| trouble.of(format!("write {}/{ELSEWHERE}", self.shared.url)))
    }

    fn new(settings: &BucketSettings, claims: Arc<dyn Claims>) -> Result<Self> {
        let requests = Requests::start(settings)?;
        let shared = Shared { url: settings.url.clone(), requests, scratch: settings.scratch.clone() };
        Ok(Self { shared: Arc::new(shared), claims })
    }

    /// Lists up to `max` objects below a path.
    fn list_below(&self, kind: Kind, below: &str, max: usize) -> Result<Vec<Key>> {
        let (s3, path) = (self.shared.requests.s3.clone(), self.shared.url.path(below));
        let listed = self.shared.requests.run(async move {
            let objects = s3.list(Some(&path)).take(max).try_filter_map(|object| async move {
                // Objects with other names do not belong to the store.
                let id = object.location.filename().and_then(|name| name.parse::<ChunkId>().ok());
                Ok(id.map(|ChunkId(name)| Key::new(kind, name)))
            });
            Ok(objects.try_collect().await?)
        });
        listed.map_err(|trouble| trouble.of(format!("list {}/{below}", self.shared.url)))
    }
}

impl Backend for Bucket {
    fn put(&self, key: Key, object: &[u8], _: Existing) -> Result<Outcome> {
        let put = self.shared.put(key, Bytes::copy_from_slice(object));
        put.map_err(|trouble| trouble.of(format!("write {key}")))?;
        // Whether there was one is unknown. Replacing it is safe: the new object is durable when the old one is gone.
        Ok(Outcome::Stored)
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        Ok(Box::new(BucketStage::new(&self.shared)))
    }

    fn read(&self, key: Key) -> Result<Object> {
        let read = self.shared.get(key, 0, READ_BYTES);
        let (ready, length) = read.map_err(|trouble| trouble.of_object("read", key))?;
        let next = ready.len() as u64;
        Ok(Object {
            length,
            body: Box::new(Body { shared: Arc::clone(&self.shared), key, length, ready, next }),
        })
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        let read = self.shared.get(key, offset, (length as u64).max(1));
        let (mut part, _) = read.map_err(|trouble| trouble.of_object("read", key))?;
        part.truncate(length);
        Ok(part.into())
    }

    fn head(&self, key: Key) -> Result<Head> {
        let read = self.shared.get(key, 0, Head::FIRST_BYTES as u64);
        let (first, length) = read.map_err(|trouble| trouble.of_object("read", key))?;
        Ok(Head { length, first: first.into() })
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        self.list_below(kind, &format!("{}/{prefix:02x}", kind.folder()), usize::MAX)
    }

    fn list_kind(&self, kind: Kind, max: usize) -> Result<Vec<Key>> {
        self.list_below(kind, kind.folder(), max.saturating_add(1))
    }

    fn lengths(&self, keys: &[Key]) -> Result<Vec<(Key, u64)>> {
        let s3 = self.shared.requests.s3.clone();
        let paths: Vec<(Key, Path)> = keys.iter().map(|key| (*key, self.shared.path(*key))).collect();
        let found = self.shared.requests.run(async move {
            let look = |(key, path): (Key, Path)| {
                let s3 = s3.clone();
                async move {
                    match s3.head(&path).await {
                        Err(object_store::Error::NotFound { .. }) => Ok(None),
                        found => Ok::<_, Trouble>(Some((key, found?.size))),
                    }
                }
            };
            let looking = futures::stream::iter(paths).map(look).buffer_unordered(REQUESTS_AT_ONCE);
            looking.try_filter_map(|found| async move { Ok(found) }).try_collect().await
        });
        found.map_err(|trouble| trouble.of("look up the lengths of objects"))
    }

    fn delete(&self, key: Key) -> Result<()> {
        self.delete_if(&[key], &mut || Ok(true)).map(drop)
    }

    fn delete_if(&self, keys: &[Key], may: &mut dyn FnMut() -> Result<bool>) -> Result<bool> {
        let doing = |trouble: Trouble| trouble.of("delete objects");
        let requests = &self.shared.requests;
        let paths = keys.iter().map(|key| self.shared.path(*key)).collect();
        let prepared = requests.run(deletion::prepare(requests.s3.clone(), paths)).map_err(doing)?;
        // Only now: what was prepared before expires, however long this process is suspended from here on.
        if !may()? {
            return Err(crate::backend::too_late());
        }
        requests.run(deletion::send(requests.plain.clone(), prepared)).map_err(doing)
    }

    fn abort_uploads(&self, before: i64) -> Result<u64> {
        let requests = &self.shared.requests;
        let aborting =
            uploads::abort(requests.s3.clone(), requests.plain.clone(), self.shared.url.clone(), before);
        requests.run(aborting).map_err(|trouble| trouble.of("end unfinished uploads"))
    }

    fn threads(&self) -> usize {
        WORKERS_MAX
    }

    fn misses_max(&self) -> Option<u64> {
        Some(MISSES_MAX)
    }

    fn sync(&self) -> Result<()> {
        // Every object and deletion was durable when it was acknowledged.
        Ok(())
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        self.claims.claim()
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        self.claims.watch_claims()
    }
}
