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

/// Bytes that are handed to the network at once.
const PIECE_BYTES: usize = 256 << 10;
/// The most zeros of one request with a plain hash, which the server has to hash.
const ZEROS_MAX: u64 = 1 << 30;
/// The pauses between attempts that make no progress.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(5))
    .without_max_times();

/// A file on its way to a server, to be made an image of.
pub struct Upload {
    client: Client,
    request: ImportCompShareCustomImageRequest,
    image_id: String,
    url: String,
    /// Whether it was there before.
    resumed: bool,
    state: UploadState,
}

/// What is sent.
enum Piece<F> {
    Bytes(Bytes, Arc<F>),
    Zeros,
}

impl Client {
    /// Starts the import of a file as an image, or finds the one that goes on under the same name and size.
    ///
    /// An extension of Jingku; any other endpoint is [`Error::CannotImport`]. Retried like any call. Ask
    /// [`Upload::look`] before anything is sent.
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
    /// The image that is to be made.
    pub fn image_id(&self) -> &str {
        &self.image_id
    }

    /// Whether the upload was there before, started by another call.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Asks the server what it has: [`received`](Self::received) and [`received_hash`](Self::received_hash).
    pub async fn look(&mut self) -> Result<(), Error> {
        self.state = look(&self.client, &self.url).await?;
        Ok(())
    }

    /// Asks for another link: the server ends an upload of which no byte comes and whose client does not ask.
    pub async fn renew(&mut self) -> Result<(), Error> {
        self.look_again().await
    }

    /// How many bytes the server has.
    pub fn received(&self) -> u64 {
        self.state.offset
    }

    /// The hash of the bytes that the server had when it was asked, in hexadecimal: a client that resumes an upload finds
    /// out by it whether it is of the same file.
    pub fn received_hash(&self) -> &str {
        self.state.hash.as_deref().unwrap_or_default()
    }

    /// What kind of hash that is. [`finish`](Self::finish) takes the same.
    pub fn hash_kind(&self) -> HashKind {
        self.state.kind
    }

    /// Withdraws the upload: its image is deleted, its name is free.
    pub async fn withdraw(self) -> Result<(), Error> {
        let request = TerminateCompShareCustomImageRequest {
            image_id: self.image_id.into(),
            ..TerminateCompShareCustomImageRequest::default()
        };
        match self.client.terminate_comp_share_custom_image(&request).await {
            // It has ended already, or an answer was lost.
            Err(Error::Api { code, .. }) if code == RetCode::ResourceNotFound.code() => Ok(()),
            ended => ended.map(drop),
        }
    }

    /// Sends bytes that follow those the server has. `sent` is told how many it has for certain or are on their way.
    ///
    /// What breaks is gone on with where the server says, until no byte has come for
    /// [`Config::timeout`](crate::Config::timeout). The server then has them on its disk.
    pub async fn send(
        &mut self,
        bytes: Bytes,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.carry(&Piece::Bytes(bytes, Arc::new(sent)), length).await
    }

    /// Sends zeros that follow what the server has, which takes no time on the network; else as [`Upload::send`].
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

    /// Agrees on the hash of the whole file, in hexadecimal: the server makes the image from now on. The hash states what
    /// must have come: do not send it before you know that the file is whole and has not changed.
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
            // What is wrong will be told by the next attempt.
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
                // A slow network is no silence.
                Err(_) if moved.load(Ordering::Relaxed) > seen => seen = moved.load(Ordering::Relaxed),
                Err(_) => return Err(Error::Timeout { action: ACTION, after: silence }),
            }
        }
    }

    /// Asks for another link and for what the server has.
    async fn look_again(&mut self) -> Result<(), Error> {
        let opened = open(&self.client, &self.request).await?;
        if opened.comp_share_image_id != self.image_id {
            return Err(self.elsewhere());
        }
        self.url = opened.url;
        self.look().await
    }

    /// What the server has is not what was sent from here.
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

/// Asks what the server has, until it can tell.
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

    /// Waits before another attempt, if an error is worth one: the server may be starting, or still be at the bytes of a
    /// connection that broke; a link may have ended.
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
