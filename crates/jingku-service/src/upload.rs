//! The way in: the file of a disk as a stream of bytes that may break off and go on.
//!
//! docs/wire/links.md describes what a client does. What is acknowledged is durable: the file's bytes first, then how
//! many they are, in the catalogue. Whatever else lies in the file after a crash is cut off.

mod receive;
mod spool;
mod spools;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use jingku_catalog::{AccountId, CatalogError, FinishUpload, NewJob, Upload};
use jingku_protocol::ParamError;
use jingku_protocol::actions::is_blake3;

use crate::context::Context;
use crate::error::{Error, Internal};
use crate::failpoint;
use crate::limits::DISK_BYTES_MAX;
use crate::link::{BadLink, UploadLink};
use crate::random::{request_id, unique_id};
use crate::reply;
use spool::Spool;

pub(crate) use spools::{Spools, UNPACKED};

/// How many bytes have come; in a request, where its bytes begin.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// How many bytes the file has.
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Hash of the bytes that have come; at the end, that of the file.
const UPLOAD_BLAKE3: HeaderName = HeaderName::from_static("upload-blake3");

/// How many zeros follow, instead of a body.
const UPLOAD_ZEROS: HeaderName = HeaderName::from_static("upload-zeros");

/// The most zeros of one request: they are hashed, which takes a second.
const ZEROS_MAX: u64 = 1 << 30;
/// How long a `HEAD` waits while what has come is read again, after a restart.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);

/// What the owner is told of an image whose file arrived as another.
const DIFFERS: &str = "The file that arrived is not the one that was sent. Import it again.";

/// An upload and what of it is here.
struct Incoming {
    context: Arc<Context>,
    upload: Upload,
}

/// Answers `HEAD`, `PATCH` and `POST` of a link to upload to.
pub(crate) async fn serve(State(context): State<Arc<Context>>, request: Request) -> Response {
    let request_id = request_id(&*context.random);
    let (id, shared) = (request_id.clone(), Arc::clone(&context));
    // A task of its own: what came from a client that breaks off must be written down.
    let answered = tokio::spawn(async move { answer(&shared, request, &id).await }).await;
    let error = match answered {
        Ok(Ok(response)) => return response,
        Ok(Err(error)) => error,
        Err(error) => Internal::Task(error).into(),
    };
    if let Error::Internal(inside) = &error {
        tracing::error!(request_id, error = inside as &dyn std::error::Error, "an upload failed");
    }
    let mut response = reply::failure(status(&error), &error, &request_id);
    if let Error::UploadOffset { offset, .. } = &error {
        response.headers_mut().insert(UPLOAD_OFFSET, HeaderValue::from(*offset));
    }
    response
}

/// Where HTTP has a word for it, clients that know nothing of our codes can go by that.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::UploadOffset { .. } | Error::UploadBusy(_) => StatusCode::CONFLICT,
        Error::UploadTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UploadDiffers(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NoRoomForFile { .. } | Error::OverLimit(_) | Error::OverUploadShare => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        Error::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
        error => reply::status(error),
    }
}

async fn answer(context: &Arc<Context>, request: Request, request_id: &str) -> Result<Response, Error> {
    let link = UploadLink::check(request.uri(), context.keyring().links(), context.clock.now());
    let link = link.map_err(|BadLink| Error::BadLink)?;
    if context.is_read_only() && request.method() != Method::HEAD {
        return Err(CatalogError::ReadOnly.into());
    }
    let upload = context.catalog.upload(AccountId(link.account), &link.image_id).await?;
    let upload = upload.ok_or(Error::ResourceNotFound(link.image_id))?;
    let incoming = Incoming { context: Arc::clone(context), upload };
    match *request.method() {
        Method::HEAD => incoming.look(request_id).await,
        Method::PATCH => incoming.receive(request, request_id).await,
        _ => incoming.finish(request.headers(), request_id).await,
    }
}

impl Incoming {
    /// Tells how much has come, and its hash unless that would take too long.
    async fn look(self, request_id: &str) -> Result<Response, Error> {
        let received = u64::try_from(self.upload.received_bytes).unwrap_or(0);
        let mut response = told(request_id, StatusCode::OK, received);
        let headers = response.headers_mut();
        if let Some(size) = self.upload.size_bytes {
            headers.insert(UPLOAD_LENGTH, HeaderValue::from(size));
        }
        if self.upload.finished {
            set(headers, UPLOAD_BLAKE3, self.upload.blake3.as_deref().unwrap_or_default());
            return Ok(response);
        }
        let opening = tokio::spawn(self.open());
        match tokio::time::timeout(LOOK_PATIENCE, opening).await {
            Ok(opened) => match opened? {
                Ok(spool) => {
                    headers.insert(UPLOAD_OFFSET, HeaderValue::from(spool.received()));
                    set(headers, UPLOAD_BLAKE3, &spool.hash());
                }
                Err(Error::UploadBusy(_) | Error::UploadOffset { .. }) => {}
                Err(error) => return Err(error),
            },
            Err(_still_reading) => {}
        }
        Ok(response)
    }

    /// Takes the bytes of a request's body.
    async fn receive(self, request: Request, request_id: &str) -> Result<Response, Error> {
        let _slot = self.context.limits.uploads.take(self.upload.account)?;
        let from = number(request.headers(), &UPLOAD_OFFSET)?;
        if self.upload.finished {
            return Err(self.offset(u64::try_from(self.upload.received_bytes).unwrap_or(0)));
        }
        let (context, upload) = (Arc::clone(&self.context), self.upload.clone());
        let size_max = u64::try_from(upload.size_bytes.unwrap_or(DISK_BYTES_MAX)).unwrap_or(0);
        let spool = self.open().await?;
        let at = spool.received();
        if from != at {
            return Err(Error::UploadOffset { image_id: upload.image_id, offset: at });
        }
        let zeros = match number(request.headers(), &UPLOAD_ZEROS) {
            Err(ParamError::Missing(_)) => None,
            zeros => Some(zeros?),
        };
        if zeros.is_some_and(|zeros| zeros > ZEROS_MAX) {
            return Err(Error::not_available("Upload-Zeros"));
        }
        let length = zeros.unwrap_or(number(request.headers(), &header::CONTENT_LENGTH).unwrap_or(0));
        if length > size_max - at.min(size_max) {
            return Err(Error::UploadTooLong { image_id: upload.image_id, size_bytes: size_max });
        }
        let received = match zeros {
            Some(zeros) => receive::zeros(&context, &upload, spool, zeros).await?,
            None => receive::body(&context, &upload, spool, request.into_body(), size_max).await?,
        };
        Ok(told(request_id, StatusCode::NO_CONTENT, received))
    }

    /// Takes the hash that the whole file has, and hands the file to a job.
    async fn finish(self, headers: &HeaderMap, request_id: &str) -> Result<Response, Error> {
        let length = number(headers, &UPLOAD_LENGTH)?;
        let hash = headers.get(&UPLOAD_BLAKE3).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if hash.is_empty() {
            return Err(ParamError::Missing("Upload-Blake3".to_owned()).into());
        }
        let hash = hash.to_ascii_lowercase();
        if !is_blake3(&hash) {
            return Err(Error::not_available("Upload-Blake3"));
        }
        let (context, upload) = (Arc::clone(&self.context), self.upload.clone());
        if upload.finished {
            let received = u64::try_from(upload.received_bytes).unwrap_or(0);
            let same = length == received && upload.blake3.as_deref() == Some(&*hash);
            return if same {
                Ok(told(request_id, StatusCode::NO_CONTENT, received))
            } else {
                Err(self.offset(received))
            };
        }
        let spool = self.open().await?;
        let (at, found) = (spool.received(), spool.hash());
        let size = u64::try_from(upload.size_bytes.unwrap_or(i64::MAX)).unwrap_or(0);
        if at != length || (upload.size_bytes.is_some() && at != size) || at == 0 {
            return Err(Error::UploadOffset { image_id: upload.image_id, offset: at });
        }
        let now = context.clock.now();
        if found != hash || upload.blake3.as_deref().is_some_and(|agreed| agreed != hash) {
            context.catalog.fail_upload(&upload, DIFFERS, now).await?;
            context.spools.remove(&upload.image_id);
            return Err(Error::UploadDiffers(upload.image_id));
        }
        failpoint::reached("upload.agreed");
        let job = NewJob { id: &unique_id(&*context.random) };
        let size = i64::try_from(at).unwrap_or(i64::MAX);
        let finished = context.catalog.finish_upload(&upload, size, &hash, job, now).await?;
        failpoint::reached("upload.finished");
        drop(spool);
        match finished {
            FinishUpload::Finished | FinishUpload::Before => {
                context.spools.close(&upload.image_id);
                context.running.wake.notify_one();
                Ok(told(request_id, StatusCode::NO_CONTENT, at))
            }
            FinishUpload::Gone => {
                context.spools.remove(&upload.image_id);
                Err(Error::ResourceNotFound(upload.image_id))
            }
        }
    }

    /// Takes the file for oneself. Refuses while somebody else has it, and when it is whole already.
    async fn open(self) -> Result<Spool, Error> {
        let Upload { image_id, account, .. } = self.upload;
        let Some(place) = self.context.spools.take(&image_id)? else {
            return Err(Error::UploadBusy(image_id));
        };
        // What was read before may be old by now: only who has the file knows that nothing is added to it. Cut to an old
        // length it would lose what was acknowledged, or what a job reads.
        let upload = self.context.catalog.upload(account, &image_id).await?;
        let upload = upload.ok_or_else(|| Error::ResourceNotFound(image_id.clone()))?;
        let received = u64::try_from(upload.received_bytes).unwrap_or(0);
        if upload.finished {
            return Err(Error::UploadOffset { image_id, offset: received });
        }
        let opened = tokio::task::spawn_blocking(move || Spool::open(place, received)).await?;
        opened.map_err(Error::from)
    }

    fn offset(&self, offset: u64) -> Error {
        Error::UploadOffset { image_id: self.upload.image_id.clone(), offset }
    }
}

/// A number in a header.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ParamError> {
    let named = || match name.as_str() {
        "upload-offset" => "Upload-Offset".to_owned(),
        "upload-length" => "Upload-Length".to_owned(),
        "upload-zeros" => "Upload-Zeros".to_owned(),
        other => other.to_owned(),
    };
    let value = headers.get(name).ok_or_else(|| ParamError::Missing(named()))?;
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| ParamError::NotAvailable(named()))
}

fn told(request_id: &str, status: StatusCode, received: u64) -> Response {
    let octets = HeaderValue::from_static("application/octet-stream");
    let mut response = reply::file(request_id, octets, 0, Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(received));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    headers.insert(name, HeaderValue::from_str(text).expect("a hash is ASCII"));
}
