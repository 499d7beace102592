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
    image_id: String,
    url: String,
    /// Whether it existed already.
    resumed: bool,
    state: UploadState,
}

/// What to send.
enum Piece<F> {
    Bytes(Bytes, Arc<F>),
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
        Ok(Upload {
            client: self.clone(),
            request: request.clone(),
            image_id: opened.comp_share_image_id,
            url: opened.url,
            resumed: opened.resumed,
            state,
        })
    }
}

impl Upload {
    /// The image that the server will make.
    pub fn image_id(&self) -> &str {
        &self.image_id
    }

    /// Whether another call started the upload.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Asks the server what it has: [`received`](Self::received) and [`received_hash`](Self::received_hash).
    pub async fn look(&mut self) -> Result<(), Error> {
        self.state = look(&self.client, &self.url).await?;
        Ok(())
    }

    /// Asks for a new link. The server ends an upload that gets neither bytes nor requests.
    pub async fn renew(&mut self) -> Result<(), Error> {
        self.look_again().await
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
            image_id: self.image_id.into(),
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
            self.carry(&Piece::<fn(u64)>::Zeros, length).await?;
            left -= length;
        }
        Ok(())
    }

    async fn carry<F>(&mut self, piece: &Piece<F>, length: u64) -> Result<(), Error>
    where
        F: Fn(u64) + Send + Sync + 'static,
    {
        let start = self.state.offset;
        let end = start + length;
        let mut patience = Patience::new(self.client.config().timeout);
        while self.state.offset < end {
            let at = self.state.offset;
            let attempt = match piece {
                Piece::Bytes(bytes, sent) => {
                    let from = usize::try_from(at - start).unwrap_or(usize::MAX);
                    self.patch(at, bytes.slice(from..), Arc::clone(sent)).await
                }
                Piece::Zeros => self.patch_zeros(at, end - at).await,
            };
            match attempt {
                Ok(state) => self.state = state,
                Err(error) => {
                    if !patience.bears(&error).await {
                        return Err(error);
                    }
                    if self.look_again().await.is_err() {
                        continue;
                    }
                }
            }
            if !(start..=end).contains(&self.state.offset) {
                return Err(self.elsewhere());
            }
            if self.state.offset > at {
                patience = Patience::new(self.client.config().timeout);
            }
        }
        Ok(())
    }

    /// Confirms the hash of the whole file, in hexadecimal; the server then makes the image. Call it only when you know
    /// that the file is complete and unchanged.
    pub async fn finish(&mut self, hash: &str) -> Result<(), Error> {
        let length = self.state.offset;
        let mut patience = Patience::new(self.client.config().timeout);
        loop {
            let post =
                self.client.to_upload(Method::POST, &self.url).header("Upload-Hash", self.state.kind.name());
            let post = post.header("Upload-Length", length).header("Upload-Blake3", hash);
            let error = match exchange(post.header(CONTENT_LENGTH, 0)).await {
                Ok(state) => {
                    self.state = state;
                    return Ok(());
                }
                Err(error) => error,
            };
            if !patience.bears(&error).await {
                return Err(error);
            }
            // The next attempt reports the error.
            let _ = self.look_again().await;
        }
    }

    fn patch_at(&self, at: u64) -> RequestBuilder {
        let patch = self.client.to_upload(Method::PATCH, &self.url).header("Upload-Offset", at);
        patch.header("Upload-Hash", self.state.kind.name())
    }

    async fn patch_zeros(&self, at: u64, count: u64) -> Result<UploadState, Error> {
        let patch = self.patch_at(at);
        let sending = exchange(patch.header("Upload-Zeros", count).header(CONTENT_LENGTH, 0));
        let silence = self.client.config().timeout;
        timeout(silence, sending).await.unwrap_or(Err(Error::Timeout { action: ACTION, after: silence }))
    }

    async fn patch(
        &self,
        at: u64,
        bytes: Bytes,
        sent: Arc<impl Fn(u64) + Send + Sync + 'static>,
    ) -> Result<UploadState, Error> {
        let (length, moved) = (bytes.len(), Arc::new(AtomicU64::new(at)));
        let counter = Arc::clone(&moved);
        let pieces = (0..length).step_by(PIECE_BYTES).map(move |from| {
            let to = (from + PIECE_BYTES).min(length);
            counter.store(at + to as u64, Ordering::Relaxed);
            sent(at + to as u64);
            Ok::<_, std::convert::Infallible>(bytes.slice(from..to))
        });
        let patch = self.patch_at(at);
        let patch = patch.header(CONTENT_LENGTH, length).body(Body::wrap_stream(stream::iter(pieces)));
        let mut sending = std::pin::pin!(exchange(patch));
        let (silence, mut seen) = (self.client.config().timeout, at);
        loop {
            match timeout(silence, &mut sending).await {
                Ok(state) => return state,
                // A slow network still makes progress.
                Err(_) if moved.load(Ordering::Relaxed) > seen => seen = moved.load(Ordering::Relaxed),
                Err(_) => return Err(Error::Timeout { action: ACTION, after: silence }),
            }
        }
    }

    /// Asks for a new link and for what the server has.
    async fn look_again(&mut self) -> Result<(), Error> {
        let opened = open(&self.client, &self.request).await?;
        if opened.comp_share_image_id != self.image_id {
            return Err(self.elsewhere());
        }
        self.url = opened.url;
        self.look().await
    }

    /// The server does not have what this client sent.
    fn elsewhere(&self) -> Error {
        Error::ImageGone { image_id: self.image_id.clone() }
    }
}

const ACTION: Action = Action::ImportCompShareCustomImage;

async fn open(
    client: &Client,
    request: &ImportCompShareCustomImageRequest,
) -> Result<ImportCompShareCustomImageResponse, Error> {
    match client.call(request).await {
        Ok(reply) => Ok(reply),
        Err(Error::Api { code, request_id, .. }) if code == RetCode::ActionNotFound.code() => {
            Err(Error::CannotImport { request_id })
        }
        Err(error) => Err(error),
    }
}

/// Asks what the server has until it answers.
async fn look(client: &Client, url: &str) -> Result<UploadState, Error> {
    retry::run(client.config(), ACTION, || async {
        let head = client.to_upload(Method::HEAD, url).header("Upload-Hash", HashKind::Sparse.name());
        let state = exchange(head).await?;
        if state.hash.is_some() {
            return Ok(state);
        }
        let message = "The server is still at what has come".to_owned();
        let code = RetCode::Throttled.code();
        Err(Error::Api { action: ACTION, code, message, name_refusal: None, request_id: None })
    })
    .await
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

    /// Waits before another attempt, if the error allows one: the server may be starting or still writing the bytes of a
    /// broken connection; a link may have expired.
    async fn bears(&mut self, error: &Error) -> bool {
        let ended = error.ret_code() == Some(RetCode::SignatureMismatch.code());
        let moved = matches!(error, Error::Http { status: 409, .. });
        if !(ended || moved || error.class() == Class::AskAgainLater) || Instant::now() >= self.until {
            return false;
        }
        let Some(pause) = self.pauses.next() else { return false };
        sleep(pause).await;
        true
    }
}
