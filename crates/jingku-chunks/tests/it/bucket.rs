//! Specific to object stores: creating, opening, faults of the service, and requests that arrive late.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jingku_chunks::{
    Backend, Bucket, BucketSettings, Error, Existing, Key, Kind, ManifestId, Memory, Result, S3Fault,
    S3Server, Store, SweepPlan,
};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{MultipartUpload, ObjectStoreExt};

use crate::sample::{self, CUT, disk};

const URL: &str = "s3://images/lab";

fn create(server: &S3Server) -> Result<Bucket> {
    Bucket::create(&server.settings(URL), Arc::new(Memory::new()))
}

fn open(settings: &BucketSettings) -> Result<Bucket> {
    Bucket::open(settings, Arc::new(Memory::new()))
}

fn server(root: &Path) -> S3Server {
    S3Server::start(root, &["images", "other"]).unwrap()
}

/// Runs requests of the plain client.
fn with_client<T>(server: &S3Server, act: impl AsyncFnOnce(AmazonS3) -> T) -> T {
    let (id, secret) = S3Server::key_pair();
    let builder = AmazonS3Builder::new().with_endpoint(server.endpoint()).with_allow_http(true);
    let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    let s3 = builder.with_bucket_name(server.settings(URL).url.bucket).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(act(s3))
}

fn put(server: &S3Server, path: &str, object: &'static str) {
    with_client(server, async |s3| s3.put(&path.into(), object.into()).await.unwrap());
}

/// Begins multipart uploads that are never completed.
fn begin_uploads(server: &S3Server, paths: &[&str]) {
    with_client(server, async |s3| {
        for path in paths {
            let mut upload = s3.put_multipart(&(*path).into()).await.unwrap();
            upload.put_part("part".into()).await.unwrap();
        }
    });
}

/// The files of unfinished uploads; none if another server has them.
fn parts(scratch: &Path) -> usize {
    let names = std::fs::read_dir(scratch).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains(".part-")).count()
}

#[test]
fn create_refuses_existing_and_open_missing_stores() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    assert!(
        matches!(open(&server.settings(URL)), Err(Error::UnknownFormat { found, .. }) if found.is_empty())
    );
    let first = create(&server).unwrap();
    open(&server.settings(URL)).unwrap();
    // Another machine that creates it at the same time.
    create(&server).unwrap();
    first.put(Key::Manifest(ManifestId([1; 32])), b"x", Existing::Keep).unwrap();
    assert!(matches!(create(&server), Err(Error::AlreadyExists(_))));
    // Prefixes end at slashes.
    assert!(open(&server.settings("s3://images/la")).is_err());

    put(&server, "lab/format", "jingku-chunks 2\n");
    let error = open(&server.settings(URL)).err().unwrap();
    assert!(matches!(&error, Error::UnknownFormat { found, .. } if found == "jingku-chunks 2\n"));
    let start = format!("{} contains no chunk store that this version", server.settings(URL).url);
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn errors_say_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let error_of = |settings: &BucketSettings| open(settings).err().unwrap().to_string();
    server.inject(Method::GET, S3Fault::NO_BUCKET, 1);
    let missing = error_of(&server.settings(URL));
    assert!(missing.contains("the bucket does not exist"), "{missing}");
    let wrong_key = Some(("jingku".to_owned(), "wrong".to_owned()));
    let wrong = error_of(&BucketSettings { key_pair: wrong_key, ..server.settings(URL) });
    assert!(wrong.contains("rejects the secret key"), "{wrong}");
    server.inject(Method::GET, S3Fault::SKEWED, 1);
    let skewed = error_of(&server.settings(URL));
    assert!(skewed.contains("Set the clock"), "{skewed}");
    let settings = server.settings(URL);
    drop(server);
    // Connections are refused at once; the attempts take some seconds.
    let gone = error_of(&settings);
    assert!(gone.starts_with(&format!("cannot open the store in {}: ", settings.url)), "{gone}");
}

/// A missing bucket must not look like missing chunks.
#[test]
fn missing_bucket_is_not_a_missing_object() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = create(&server).unwrap();
    server.inject(Method::GET, S3Fault::NO_BUCKET, 2);
    let key = Key::Manifest(ManifestId([1; 32]));
    assert!(matches!(bucket.head(key), Err(Error::Io { .. })));
    assert!(matches!(bucket.read(key).map(drop), Err(Error::Io { .. })));
}

/// Writes, reads and sweeps while every kind of request meets every kind of fault.
#[test]
fn faults_of_the_service_are_overcome() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let store = Store::new(create(&server).unwrap());
    let slow = S3Fault::Slow(Duration::from_millis(50));
    for fault in [S3Fault::SLOW_DOWN, S3Fault::Internal, slow, S3Fault::Cut] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
            server.inject(method, fault, 2);
        }
        let written = sample::write(&store, &disk()).unwrap();
        for method in [Method::GET, Method::PUT] {
            server.inject(method, fault, 2);
        }
        assert!(sample::read(&store, written.manifest).unwrap() == disk(), "{fault:?}");
        drop(written);
        let swept = store.sweep(SweepPlan::default()).run(&mut || Ok::<_, Error>(Vec::new())).unwrap();
        assert!(swept.chunks > 0 && swept.manifests == 1, "{fault:?}: {swept:?}");
    }
}

/// Bytes that change on the way are not returned, and the chunk is verified before it is used again.
#[test]
fn wrong_bytes_are_detected() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = Arc::new(create(&server).unwrap());
    let store = Store::new(Arc::clone(&bucket));
    let written = sample::write(&store, &disk()).unwrap();
    let manifest = store.open_manifest(written.manifest).unwrap();
    let mut pieces = store.read(&manifest).unwrap();
    server.inject(Method::GET, S3Fault::WrongByte, 1);
    let read: Result<Vec<_>> = pieces.by_ref().collect();
    drop(pieces);
    assert!(
        matches!(read, Err(Error::Damaged { .. })) || sample::list(&bucket, Kind::QuarantineMark).len() == 1
    );
    sample::write(&store, &disk()).unwrap();
    assert!(sample::list(&bucket, Kind::QuarantineMark).is_empty());
    assert!(sample::read(&store, written.manifest).unwrap() == disk());
}

/// An upload that fails leaves no parts behind, also if other parts are on their way when one fails.
#[test]
fn failed_upload_is_aborted() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = create(&server).unwrap();
    let before = server.answers(&Method::PUT);
    let mut stage = bucket.stage().unwrap();
    for _ in 0..20 {
        stage.write(&vec![7; 1 << 20]).unwrap();
    }
    // An error that is not worth another attempt; the other two parts arrive later.
    server.inject(Method::PUT, S3Fault::SKEWED, 1);
    server.inject(Method::PUT, S3Fault::Slow(Duration::from_millis(200)), 2);
    let key = Key::Manifest(ManifestId([7; 32]));
    assert!(stage.commit(key, Existing::Keep).is_err());
    assert_eq!((server.answers(&Method::PUT), server.answers(&Method::DELETE)), (before + 3, 1));
    assert!(matches!(bucket.head(key), Err(Error::NotFound(_))));
    assert_eq!((parts(scratch.path()), bucket.abort_uploads(i64::MAX).unwrap()), (0, 0));
}

/// Uploads whose process was killed are found and ended, but not those of other programs, prefixes or times.
#[test]
fn unfinished_uploads_are_ended() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = create(&server).unwrap();
    begin_uploads(
        &server,
        &[
            "lab/manifests/01/01",
            "lab/manifests/01/01",
            "lab/manifests/02/02",
            "lab/manifests2/03",
            "lab/notes",
            "manifests/04/04",
        ],
    );
    assert_eq!(bucket.abort_uploads(0).unwrap(), 0);
    assert_eq!(bucket.abort_uploads(i64::MAX).unwrap(), 3);
    assert_eq!(bucket.abort_uploads(i64::MAX).unwrap(), 0);
    if std::env::var_os("JINGKU_TEST_S3").is_none() {
        assert_eq!(parts(scratch.path()), 3);
    }
}

/// A deletion that was repeated without an answer may take effect later; an answer ends it.
#[test]
fn deletions_without_an_answer_are_reported() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = create(&server).unwrap();
    let key = Key::Manifest(ManifestId([1; 32]));
    for (fault, ended) in [(S3Fault::SLOW_DOWN, true), (S3Fault::Refused(504, "GatewayTimeout"), false)] {
        bucket.put(key, b"x", Existing::Keep).unwrap();
        server.inject(Method::DELETE, fault, 1);
        assert_eq!(bucket.delete_if(&[key], &mut || Ok(true)).unwrap(), ended, "{fault:?}");
        assert!(matches!(bucket.head(key), Err(Error::NotFound(_))));
    }
}

/// `may` is asked after the deletions are signed, once for all of them.
#[test]
fn deletions_are_signed_before_the_last_question() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let bucket = create(&server).unwrap();
    let keys: Vec<Key> = (0..40).map(|n| Key::Manifest(ManifestId([n; 32]))).collect();
    for key in &keys {
        bucket.put(*key, b"x", Existing::Keep).unwrap();
    }
    let mut asked = 0;
    let may = &mut || {
        asked += 1;
        assert_eq!(server.requests(&Method::DELETE), 0);
        Ok(true)
    };
    bucket.delete_if(&keys, may).unwrap();
    assert_eq!((asked, server.requests(&Method::DELETE)), (1, 40));
    assert_eq!(bucket.list_kind(Kind::Manifest, 100).unwrap(), []);
}

/// What one image costs: the manual has these numbers.
#[test]
fn an_image_costs_few_requests() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let store = Store::new(create(&server).unwrap());
    let count = || [Method::GET, Method::PUT, Method::HEAD].map(|method| server.requests(&method));
    let before = count();
    let written = sample::write(&store, &disk()).unwrap();
    let made = count();
    // A lookup of each distinct chunk and of the manifest, the list of marks.
    assert_eq!(made[0] - before[0], sample::DISK_CHUNKS + 2);
    assert_eq!(made[1] - before[1], sample::DISK_CHUNKS + 1);
    sample::read(&store, written.manifest).unwrap();
    let read = count()[0] - made[0];
    // The manifest twice: verified, then read.
    assert!(read <= sample::DISK_CHUNKS + 1 + 2, "{read}");
}

/// A writer that finds nothing stores without looking, until it finds a chunk.
#[test]
fn a_new_image_is_stored_with_few_lookups() {
    let scratch = tempfile::tempdir().unwrap();
    let server = server(scratch.path());
    let store = Store::new(create(&server).unwrap());
    let gets = || server.requests(&Method::GET);
    let (chunks, threads) = (800, store.backend().threads() as u64);
    let bytes = |count: u64| usize::try_from(count * CUT.chunk_size).unwrap();
    let first = sample::noise(1, bytes(chunks));
    let before = gets();
    let written = sample::write(&store, &first).unwrap();
    assert_eq!((written.new_chunks, written.reused_chunks), (chunks, 0));
    // The first 16, an eighth of the others, those that other threads look up meanwhile; the manifest and the marks.
    let lookups = gets() - before;
    assert!(lookups <= 16 + chunks / 8 + threads + 2, "{lookups} lookups");
    drop(written);

    // Half new, then the first disk: a thread may store eight chunks before one is found, and others meanwhile.
    let second = [sample::noise(2, bytes(chunks)), first.clone()].concat();
    let written = sample::write(&store, &second).unwrap();
    assert_eq!(written.new_chunks + written.reused_chunks, 2 * chunks);
    assert!((chunks..=chunks + 8 + 4 * threads).contains(&written.new_chunks), "{} new", written.new_chunks);
    assert!(sample::read(&store, written.manifest).unwrap() == second);

    // A writer that knows that manifest stores nothing again.
    let third = [sample::noise(3, bytes(chunks)), second].concat();
    let mut writer = store.writer_with(third.len() as u64, CUT).unwrap();
    writer.compare_with(&[written.manifest]).unwrap();
    sample::push(&mut writer, &third).unwrap();
    let written = writer.finish_chunks().unwrap().write_manifest().unwrap();
    assert_eq!((written.new_chunks, written.reused_chunks), (chunks, 2 * chunks));
    assert!(sample::read(&store, written.manifest).unwrap() == third);
}
