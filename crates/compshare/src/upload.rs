use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use futures::stream;
use jingku_protocol::actions::{
    Action, ImportCompShareCustomImageRequest, ImportCompShareCustomImageResponse,
    TerminateCompShareCustomImageRequest,
};
use jingku_protocol::{Class, HashKind, RetCode};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Method, RequestBuilder};
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;
use crate::error::Error;
use crate::exchange::{Exchange, UploadState};
use crate::retry;

/// Bytes handed to the network at once.
const PIECE_BYTES: usize = 256 << 10;
/// The most zeros of one request with a plain hash, which the server has to hash.
const ZEROS_MAX: u64 = 1 << 30;
/// The pauses between attempts that make no progress.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(5))
    .without_max_times();

/// An upload of a disk file, from which the server makes an image.
pub struct Upload {
    client: Client,
    request: ImportCompShareCustomImageRequest,
    opened: ImportCompShareCustomImageResponse,
    state: UploadState,
}

enum Piece {
    /// Bytes, and what to call with the offset reached.
    Bytes(Bytes, Arc<dyn Fn(u64) + Send + Sync>),
    Zeros,
}

impl Client {
    /// Starts the import of a file as an image, or resumes the one with the same name and size.
    ///
    /// An extension of Jingku; any other endpoint fails with [`Error::CannotImport`]. Retried like any call. Call
    /// [`Upload::look`] before you send anything.
    pub async fn start_import(&self, request: &ImportCompShareCustomImageRequest) -> Result<Upload, Error> {
        let opened = open(self, request).await?;
        let state = UploadState { offset: 0, hash: None, kind: HashKind::default() };
        Ok(Upload { client: self.clone(), request: request.clone(), opened, state })
    }
}

impl Upload {
    /// The image that the server will make.
    pub fn image_id(&self) -> &str {
        &self.opened.comp_share_image_id
    }

    /// Whether another call started the upload.
    pub fn is_resumed(&self) -> bool {
        self.opened.resumed
    }

    /// Asks the server what it has: [`received`](Self::received) and [`received_hash`](Self::received_hash).
    pub async fn look(&mut self) -> Result<(), Error> {
        // Until the server knows the hash.
        self.state = retry::run(&self.client.config, ACTION, || async {
            let state = exchange(self.request(Method::HEAD, HashKind::Sparse)).await?;
            if state.hash.is_some() {
                return Ok(state);
            }
            let message = "The server is still at what has come".to_owned();
            let code = RetCode::Throttled.code();
            Err(Error::Api { action: ACTION, code, message, name_refusal: None, request_id: None })
        })
        .await?;
        Ok(())
    }

    /// Asks for a new link and for what the server has. The server ends an upload that gets neither bytes nor requests.
    pub async fn renew(&mut self) -> Result<(), Error> {
        let opened = open(&self.client, &self.request).await?;
        if opened.comp_share_image_id != self.image_id() {
            return Err(self.elsewhere());
        }
        self.opened.url = opened.url;
        self.look().await
    }

    /// How many bytes the server has.
    pub fn received(&self) -> u64 {
        self.state.offset
    }

    /// The hash of the bytes that the server has, in hexadecimal. A client that resumes an upload compares it with its own
    /// file.
    pub fn received_hash(&self) -> &str {
        self.state.hash.as_deref().unwrap_or_default()
    }

    /// The kind of that hash. [`finish`](Self::finish) takes the same.
    pub fn hash_kind(&self) -> HashKind {
        self.state.kind
    }

    /// Withdraws the upload: deletes its image and frees its name.
    pub async fn withdraw(self) -> Result<(), Error> {
        let request = TerminateCompShareCustomImageRequest {
            image_id: self.image_id().into(),
            ..TerminateCompShareCustomImageRequest::default()
        };
        match self.client.terminate_comp_share_custom_image(&request).await {
            // It ended already, or an answer was lost.
            Err(Error::Api { code, .. }) if code == RetCode::ResourceNotFound.code() => Ok(()),
            ended => ended.map(drop),
        }
    }

    /// Sends the bytes after those that the server has. Calls `sent` with the offset reached, in flight included.
    ///
    /// Resumes after a broken connection at the offset that the server reports, and fails after
    /// [`Config::timeout`](crate::Config::timeout) without progress. On success the server has the bytes on its disk.
    pub async fn send(
        &mut self,
        bytes: Bytes,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.carry(&Piece::Bytes(bytes, Arc::new(sent)), length).await
    }

    /// Sends zeros after the bytes that the server has, as a count; else like [`Upload::send`].
    pub async fn send_zeros(&mut self, count: u64) -> Result<(), Error> {
        let mut left = count;
        while left > 0 {
            let length = if self.state.kind == HashKind::Sparse { left } else { left.min(ZEROS_MAX) };
            self.carry(&Piece::Zeros, length).await?;
            left -= length;
        }
        Ok(())
    }

    async fn carry(&mut self, piece: &Piece, length: u64) -> Result<(), Error> {
        let start = self.state.offset;
        let end = start + length;
        let mut patience = Patience::new(self.client.config.timeout);
        while self.state.offset < end {
            let at = self.state.offset;
            match self.patch(piece, at - start, end - at).await {
                Ok(state) => self.state = state,
                Err(error) => {
                    patience.bear(error).await?;
                    if self.renew().await.is_err() {
                        continue;
                    }
                }
            }
            if !(start..=end).contains(&self.state.offset) {
                return Err(self.elsewhere());
            }
            if self.state.offset > at {
                patience = Patience::new(self.client.config.timeout);
            }
        }
        Ok(())
    }

    /// Confirms the hash of the whole file, in hexadecimal; the server then makes the image. Call it only when you know
    /// that the file is complete and unchanged.
    pub async fn finish(&mut self, hash: &str) -> Result<(), Error> {
        let length = self.state.offset;
        let mut patience = Patience::new(self.client.config.timeout);
        loop {
            let post = self.request(Method::POST, self.state.kind).header("Upload-Length", length);
            match exchange(post.header("Upload-Blake3", hash).header(CONTENT_LENGTH, 0)).await {
                Ok(state) => {
                    self.state = state;
                    return Ok(());
                }
                Err(error) => patience.bear(error).await?,
            }
            // The next attempt reports the error.
            let _ = self.renew().await;
        }
    }

    fn request(&self, method: Method, kind: HashKind) -> RequestBuilder {
        self.client.to_upload(method, &self.opened.url).header("Upload-Hash", kind.name())
    }

    /// Sends a piece without the bytes that the server has of it.
    async fn patch(&self, piece: &Piece, sent_bytes: u64, left: u64) -> Result<UploadState, Error> {
        let at = self.state.offset;
        let moved = Arc::new(AtomicU64::new(at));
        let patch = self.request(Method::PATCH, self.state.kind).header("Upload-Offset", at);
        let patch = match piece {
            Piece::Zeros => patch.header("Upload-Zeros", left).header(CONTENT_LENGTH, 0),
            Piece::Bytes(bytes, sent) => {
                let bytes = bytes.slice(usize::try_from(sent_bytes).unwrap_or(usize::MAX)..);
                let (length, sent, moved) = (bytes.len(), Arc::clone(sent), Arc::clone(&moved));
                let pieces = (0..length).step_by(PIECE_BYTES).map(move |from| {
                    let to = (from + PIECE_BYTES).min(length);
                    moved.store(at + to as u64, Ordering::Relaxed);
                    sent(at + to as u64);
                    Ok::<_, Infallible>(bytes.slice(from..to))
                });
                patch.header(CONTENT_LENGTH, length).body(Body::wrap_stream(stream::iter(pieces)))
            }
        };
        let mut sending = pin!(exchange(patch));
        let (silence, mut seen) = (self.client.config.timeout, at);
        loop {
            match timeout(silence, &mut sending).await {
                Ok(state) => return state,
                // A slow network still makes progress.
                Err(_) if moved.load(Ordering::Relaxed) > seen => seen = moved.load(Ordering::Relaxed),
                Err(_) => return Err(Error::Timeout { action: ACTION, after: silence }),
            }
        }
    }

    /// The server does not have what this client sent.
    fn elsewhere(&self) -> Error {
        Error::ImageGone { image_id: self.image_id().to_owned() }
    }
}

const ACTION: Action = Action::ImportCompShareCustomImage;

async fn open(
    client: &Client,
    request: &ImportCompShareCustomImageRequest,
) -> Result<ImportCompShareCustomImageResponse, Error> {
    client.call(request).await.map_err(|error| match error {
        Error::Api { code, request_id, .. } if code == RetCode::ActionNotFound.code() => {
            Error::CannotImport { request_id }
        }
        error => error,
    })
}

async fn exchange(request: RequestBuilder) -> Result<UploadState, Error> {
    Exchange::open(ACTION, request).await?.into_upload_state().await
}

/// How long attempts without progress continue.
struct Patience {
    until: Instant,
    pauses: ExponentialBackoff,
}

impl Patience {
    fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, pauses: PAUSES.build() }
    }

    /// Waits before another attempt, or returns an error that allows none. The server may be starting or still writing the
    /// bytes of a broken connection; a link may have expired.
    async fn bear(&mut self, error: Error) -> Result<(), Error> {
        let expired = error.ret_code() == Some(RetCode::SignatureMismatch.code());
        let moved = matches!(error, Error::Http { status: 409, .. });
        let may_pass = expired || moved || error.class() == Class::AskAgainLater;
        match self.pauses.next() {
            Some(pause) if may_pass && Instant::now() < self.until => {
                sleep(pause).await;
                Ok(())
            }
            _ => Err(error),
        }
    }
}
