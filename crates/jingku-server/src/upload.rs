//! Resumable uploads of disk files.
//!
//! docs/wire/links.md describes the client's side. Acknowledged bytes are durable: first the bytes in the file, then their
//! count in the catalogue. After a crash, the rest of the file is cut off.

mod headers;
mod passing;
mod receive;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use jingku_catalog::{
    AccountId, AgreedHash, CatalogError, Channel, FinishUpload, NewAuditEntry, Scope, Upload,
};
use jingku_library::{Acknowledged, DISK_BYTES_MAX, Internal, UploadFile, failpoint, request_id, unique_id};
use jingku_protocol::actions::is_blake3;
use jingku_protocol::{HashKind, ParamError};

use crate::context::Context;
use crate::error::Error;
use crate::gateway::peer;
use crate::limits::UPLOAD_HASH_TIMEOUT;
use crate::link::{BadLink, UploadLink};
use crate::reply;
use crate::transfer::Permit;
use headers::{
    UPLOAD_BLAKE3, UPLOAD_LENGTH, UPLOAD_OFFSET, UPLOAD_ZEROS, hash_kind, number, requested_kind, response,
    set_hash,
};

/// Maximum number of zeros in one request with a plain hash. Hashing them takes a quarter of a second.
const ZEROS_MAX: u64 = 1 << 30;

/// The failure reason of an image whose file did not arrive as sent.
const DIFFERS: &str = "The file that arrived is not the one that was sent. Import it again.";

struct UploadRequest {
    context: Arc<Context>,
    upload: Upload,
    peer: Option<IpAddr>,
    /// The kind of hash of request and response.
    kind: HashKind,
}

/// Answers `HEAD`, `PATCH` and `POST` of an upload link.
pub(crate) async fn serve(State(context): State<Arc<Context>>, request: Request) -> Response {
    let request_id = request_id(&*context.library.random);
    let (id, shared) = (request_id.clone(), Arc::clone(&context));
    // In its own task: bytes of a client that disconnects must still be recorded.
    let answered = tokio::spawn(async move { answer(&shared, request, &id).await }).await;
    let error = match answered {
        Ok(Ok(response)) => return response,
        Ok(Err(error)) => error,
        Err(error) => Internal::Task(error).into(),
    };
    let mut response = reply::failure(&error, "upload", &request_id);
    if let Error::UploadOffset { offset, .. } = &error {
        response.headers_mut().insert(UPLOAD_OFFSET, HeaderValue::from(*offset));
    }
    response
}

async fn answer(context: &Arc<Context>, request: Request, request_id: &str) -> Result<Response, Error> {
    let link = UploadLink::check(request.uri(), context.library.keyring(), context.library.clock.now());
    let link = link.map_err(|BadLink| Error::BadLink)?;
    if context.library.is_read_only() && request.method() != Method::HEAD {
        return Err(CatalogError::ReadOnly.into());
    }
    let (account, image_id) = (AccountId(link.account), link.image_id);
    let Some(upload) = context.library.catalog.upload(account, &image_id).await? else {
        if request.method() == Method::POST {
            return answer_finished(context, account, image_id, request.headers(), request_id).await;
        }
        return Err(Error::ResourceNotFound(image_id));
    };
    if upload.host != context.library.host_name() {
        return passing::pass_on(context, &upload, request).await;
    }
    let kind = hash_kind(request.headers(), &upload)?;
    let peer = peer(&request);
    let incoming = UploadRequest { context: Arc::clone(context), upload, peer, kind };
    match *request.method() {
        Method::HEAD => incoming.report(request_id).await,
        Method::PATCH => incoming.receive(request, request_id).await,
        _ => incoming.complete(request.headers(), request_id).await,
    }
}

/// Answers a `POST` to an upload that no longer exists. It succeeds if an equal one did, whose answer may have been lost,
/// and the image has not been deleted since.
async fn answer_finished(
    context: &Context,
    account: AccountId,
    image_id: String,
    headers: &HeaderMap,
    request_id: &str,
) -> Result<Response, Error> {
    let Ok((length, hash)) = declared(headers) else { return Err(Error::ResourceNotFound(image_id)) };
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let (catalog, now) = (&context.library.catalog, context.library.clock.now());
    if !catalog.was_upload_finished(account, &image_id, size, &hash, now).await?
        || catalog.image(Scope::own(account), &image_id).await?.is_none()
    {
        return Err(Error::ResourceNotFound(image_id));
    }
    let kind = requested_kind(headers)?;
    Ok(response(request_id, StatusCode::NO_CONTENT, length, kind))
}

/// The length and hash of the whole file, as the client declares them.
fn declared(headers: &HeaderMap) -> Result<(u64, String), Error> {
    let length = number(headers, UPLOAD_LENGTH)?;
    let hash = headers.get(UPLOAD_BLAKE3).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if hash.is_empty() {
        return Err(ParamError::Missing(UPLOAD_BLAKE3.to_owned()).into());
    }
    let hash = hash.to_ascii_lowercase();
    if !is_blake3(&hash) {
        return Err(Error::not_available(UPLOAD_BLAKE3));
    }
    Ok((length, hash))
}

impl UploadRequest {
    /// Reports the offset, and the hash unless that would take too long.
    async fn report(self, request_id: &str) -> Result<Response, Error> {
        let mut response = self.response(request_id, StatusCode::OK, self.received());
        let headers = response.headers_mut();
        if let Some(size) = self.upload.size_bytes {
            headers.insert(UPLOAD_LENGTH, HeaderValue::from(size));
        }
        if let Some(hash) = self.upload.agreed_hash() {
            set_hash(headers, hash);
            return Ok(response);
        }
        match self.open().await {
            Ok(file) => {
                headers.insert(UPLOAD_OFFSET, HeaderValue::from(file.received()));
                set_hash(headers, &file.hash());
                Ok(response)
            }
            // Another request uses the file, it is being hashed, or it has just been finished.
            Err(Error::UploadBusy(_) | Error::UploadOffset { .. }) => Ok(response),
            Err(error) => Err(error),
        }
    }

    async fn receive(self, request: Request, request_id: &str) -> Result<Response, Error> {
        let slots = &self.context.limits.uploads;
        let _permit = Permit::take(&self.context.library, slots, self.upload.account).await?;
        let from = number(request.headers(), UPLOAD_OFFSET)?;
        if self.upload.finished {
            return Err(self.offset(self.received()));
        }
        let upload = &self.upload;
        let size_max = u64::try_from(upload.size_bytes.unwrap_or(DISK_BYTES_MAX)).unwrap_or(0);
        let file = self.open().await?;
        let at = file.received();
        if from != at {
            return Err(self.offset(at));
        }
        let zeros = match number(request.headers(), UPLOAD_ZEROS) {
            Err(ParamError::Missing(_)) => None,
            zeros => Some(zeros?),
        };
        if self.kind == HashKind::Plain && zeros.is_some_and(|zeros| zeros > ZEROS_MAX) {
            return Err(Error::not_available(UPLOAD_ZEROS));
        }
        let length = zeros.unwrap_or(number(request.headers(), header::CONTENT_LENGTH.as_str()).unwrap_or(0));
        if length > size_max - at.min(size_max) {
            return Err(Error::UploadTooLong { image_id: upload.image_id.clone(), size_bytes: size_max });
        }
        let received = match zeros {
            Some(zeros) => receive::zeros(&self.context, upload, file, zeros).await,
            None => receive::body(&self.context, upload, file, request.into_body(), size_max).await,
        };
        if let Err(Error::ResourceNotFound(image_id)) = &received {
            self.context.library.uploads.remove(image_id);
        }
        Ok(self.response(request_id, StatusCode::NO_CONTENT, received?))
    }

    async fn complete(self, headers: &HeaderMap, request_id: &str) -> Result<Response, Error> {
        match self.finish(headers, request_id).await {
            // Another request may have finished it, and its job ended, since the row was read.
            Err(Error::ResourceNotFound(image_id)) => {
                answer_finished(&self.context, self.upload.account, image_id, headers, request_id).await
            }
            finished => finished,
        }
    }

    /// Compares the hash of the whole file and starts the job.
    async fn finish(&self, headers: &HeaderMap, request_id: &str) -> Result<Response, Error> {
        let (length, hash) = declared(headers)?;
        if let Some(agreed) = self.upload.agreed_hash() {
            let received = self.received();
            return if length == received && agreed == hash {
                Ok(self.response(request_id, StatusCode::NO_CONTENT, received))
            } else {
                Err(self.offset(received))
            };
        }
        let (context, upload) = (&self.context, &self.upload);
        let file = self.open().await?;
        let (at, found) = (file.received(), file.hash());
        let size = u64::try_from(upload.size_bytes.unwrap_or(i64::MAX)).unwrap_or(0);
        if at != length || (upload.size_bytes.is_some() && at != size) || at == 0 {
            return Err(self.offset(at));
        }
        let now = context.library.clock.now();
        if found != hash || upload.blake3.as_deref().is_some_and(|declared| declared != hash) {
            let error = Error::UploadDiffers(upload.image_id.clone());
            let fail = context.library.catalog.fail_upload(upload, DIFFERS, now);
            context.library.catalog.audited(self.entry(request_id, error.ret_code().code()), fail).await.0?;
            context.library.uploads.remove(&upload.image_id);
            return Err(error);
        }
        failpoint::reached("upload.agreed");
        let job = &unique_id(&*context.library.random);
        let size = i64::try_from(at).unwrap_or(i64::MAX);
        let agreed = match self.kind {
            HashKind::Plain => AgreedHash::Plain(&hash),
            HashKind::Sparse => AgreedHash::Sparse(&hash),
        };
        let finish = context.library.catalog.finish_upload(upload, size, agreed, job, now);
        let finished = context.library.catalog.audited(self.entry(request_id, 0), finish).await.0?;
        failpoint::reached("upload.finished");
        drop(file);
        match finished {
            FinishUpload::Finished | FinishUpload::AlreadyFinished => {
                context.library.uploads.close(&upload.image_id);
                context.library.running.wake.notify_one();
                Ok(self.response(request_id, StatusCode::NO_CONTENT, at))
            }
            FinishUpload::Gone => {
                context.library.uploads.remove(&upload.image_id);
                Err(Error::ResourceNotFound(upload.image_id.clone()))
            }
        }
    }

    /// The entry of the audit log for the end of the upload.
    fn entry(&self, request_id: &str, ret_code: i64) -> NewAuditEntry {
        NewAuditEntry {
            time: self.context.library.clock.now(),
            account: self.upload.account,
            channel: Channel::Upload,
            // The link has no key.
            public_key: String::new(),
            address: self.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            action: "upload".to_owned(),
            subject: self.upload.image_id.clone(),
            ret_code,
            request_id: request_id.to_owned(),
        }
    }

    /// Opens the file for this request. Refuses while another request uses it, while it is being hashed, and when the upload
    /// is finished.
    async fn open(&self) -> Result<UploadFile, Error> {
        let Upload { image_id, account, .. } = &self.upload;
        let opening = open(Arc::clone(&self.context), *account, image_id.clone(), self.kind);
        // In its own task: after a timeout, the next request benefits.
        match tokio::time::timeout(UPLOAD_HASH_TIMEOUT, tokio::spawn(opening)).await {
            Ok(opened) => opened?,
            Err(_still_hashing) => Err(Error::UploadBusy(image_id.clone())),
        }
    }

    fn received(&self) -> u64 {
        u64::try_from(self.upload.received_bytes).unwrap_or(0)
    }

    fn offset(&self, offset: u64) -> Error {
        Error::UploadOffset { image_id: self.upload.image_id.clone(), offset }
    }

    fn response(&self, request_id: &str, status: StatusCode, received: u64) -> Response {
        response(request_id, status, received, self.kind)
    }
}

/// Opens the file of an upload. Few files are hashed at once. A waiting request holds the lock of its upload, so that only
/// one waits per upload.
async fn open(
    context: Arc<Context>,
    account: AccountId,
    image_id: String,
    kind: HashKind,
) -> Result<UploadFile, Error> {
    let Some(lock) = context.library.uploads.take(&image_id)? else {
        return Err(Error::UploadBusy(image_id));
    };
    // Read again under the lock: cut to an old length, the file would lose acknowledged bytes, or bytes that a job reads.
    let upload = context.library.catalog.upload(account, &image_id).await?;
    let upload = upload.ok_or_else(|| Error::ResourceNotFound(image_id.clone()))?;
    let bytes = u64::try_from(upload.received_bytes).unwrap_or(0);
    if upload.finished {
        return Err(Error::UploadOffset { image_id, offset: bytes });
    }
    let acknowledged = Acknowledged { bytes, sparse_state: upload.sparse_state };
    let permit = if UploadFile::must_read(&lock, &acknowledged, kind) {
        context.limits.upload_hashes.clone().acquire_owned().await.ok()
    } else {
        None
    };
    let opened = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        UploadFile::open(lock, &acknowledged, kind)
    });
    Ok(opened.await??)
}

#[cfg(test)]
mod tests {
    use jingku_catalog::{BuiltImage, JobEnd, NewUpload, Receive, Received};
    use jingku_library::{Config, Environment, Library};

    use super::*;
    use crate::limits::MAX_UPLOAD_HASHES;

    /// A server with an upload that has received five bytes.
    async fn started() -> (Arc<Context>, AccountId) {
        let library = Library::open_in_memory(&Config::default(), &Environment::default()).await;
        let context = Arc::new(Context::new(library.unwrap()));
        let (account, _) = context.library.create_account("lab").await.unwrap();
        let new = NewUpload {
            image_id: "image-1",
            name: "env",
            description: "",
            region: "cn-wlcb",
            zone: "cn-wlcb-01",
            size_bytes: None,
            data_bytes: None,
            blake3: None,
            format: None,
        };
        context.library.catalog.start_upload(Scope::own(account.id), new, i64::MAX, 0).await.unwrap();
        let upload = context.library.catalog.upload(account.id, "image-1").await.unwrap().unwrap();
        let received = Received { bytes: 5, stored_bytes: 5, sparse_state: None };
        let received = context.library.catalog.record_received(&upload, received, i64::MAX, 0).await.unwrap();
        assert_eq!(received, Receive::Received);
        std::fs::write(context.library.uploads.path("image-1").unwrap(), "bytes").unwrap();
        (context, account.id)
    }

    async fn incoming(context: &Arc<Context>, account: AccountId, kind: HashKind) -> UploadRequest {
        let upload = context.library.catalog.upload(account, "image-1").await.unwrap().unwrap();
        UploadRequest { context: Arc::clone(context), upload, peer: None, kind }
    }

    /// Files are hashed a few at a time; a request waits until the timeout, and once per upload.
    #[tokio::test(start_paused = true)]
    async fn hashing_again_is_limited_and_requests_time_out() {
        let (context, account) = started().await;
        let incoming = async |kind| incoming(&context, account, kind).await;
        let permits = u32::try_from(MAX_UPLOAD_HASHES).unwrap();
        let all = Arc::clone(&context.limits.upload_hashes).acquire_many_owned(permits).await.unwrap();
        for kind in [HashKind::Plain, HashKind::Sparse] {
            let opened = incoming(kind).await.open().await;
            assert!(matches!(opened, Err(Error::UploadBusy(_))), "{kind:?}");
        }
        let reported = incoming(HashKind::Plain).await.report("request").await.unwrap();
        assert_eq!(reported.headers()[UPLOAD_OFFSET], "5");
        assert!(!reported.headers().contains_key(UPLOAD_BLAKE3));
        drop(all);
        // Hashing continues after the timeout.
        while context.library.uploads.is_taken("image-1") {
            tokio::task::yield_now().await;
        }
        let reported = incoming(HashKind::Plain).await.report("request").await.unwrap();
        assert_eq!(reported.headers()[UPLOAD_BLAKE3], blake3::hash(b"bytes").to_hex().as_str());
    }

    /// A `POST` that read the row before another one finished the upload, and writes after the job has ended.
    #[tokio::test]
    async fn a_late_post_is_answered_like_a_repeated_one() {
        let (context, account) = started().await;
        let hash = blake3::hash(b"bytes").to_hex();
        let mut headers = HeaderMap::new();
        headers.insert(UPLOAD_LENGTH, HeaderValue::from_static("5"));
        headers.insert(UPLOAD_BLAKE3, HeaderValue::from_str(&hash).unwrap());
        let [first, late, deleted] = [(), (), ()].map(|()| incoming(&context, account, HashKind::Plain));
        let (first, late, deleted) = (first.await, late.await, deleted.await);
        assert_eq!(first.complete(&headers, "1").await.unwrap().status(), StatusCode::NO_CONTENT);
        let now = context.library.clock.now();
        let job = context.library.catalog.claim_job("node", 1, now, 60).await.unwrap().unwrap();
        let ended = context.library.catalog.complete_job(&job, BuiltImage::dense("manifest", 5), now).await;
        assert_eq!(ended.unwrap(), JobEnd::Ended);
        let answered = late.complete(&headers, "2").await.unwrap();
        assert_eq!(
            (answered.status(), &answered.headers()[UPLOAD_OFFSET]),
            (StatusCode::NO_CONTENT, &"5".parse().unwrap())
        );
        context.library.catalog.delete_image(Scope::own(account), "image-1", now).await.unwrap();
        let refused = deleted.complete(&headers, "3").await;
        assert!(matches!(refused, Err(Error::ResourceNotFound(_))), "the image was deleted");
    }
}
