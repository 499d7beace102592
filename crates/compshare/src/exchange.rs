use std::time::Duration;

use bytes::Bytes;
use jingku_protocol::HashKind;
use jingku_protocol::actions::Action;
use reqwest::header::{AsHeaderName, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::Error;
use crate::reply::{MAX_REPLY_BYTES, decode, excerpt, undecodable};

/// How much is read of a reply that is not the API's, in bytes.
const FOREIGN_REPLY_BYTES: usize = 4096;

/// The state of an upload.
#[derive(Clone, Debug)]
pub(crate) struct UploadState {
    pub(crate) offset: u64,
    /// Their hash, when it was asked for and known.
    pub(crate) hash: Option<String>,
    /// What kind of hash the server compares.
    pub(crate) kind: HashKind,
}

/// One request sent and the head of its answer.
pub(crate) struct Exchange {
    action: Action,
    response: Response,
}

impl Exchange {
    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn open(action: Action, request: RequestBuilder) -> Result<Self, Error> {
        let response = request.send().await.map_err(|error| network_error(action, error))?;
        Ok(Self { action, response })
    }

    fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    fn request_id(&self) -> Option<String> {
        self.header("X-UCLOUD-REQUEST-UUID").map(str::to_owned)
    }

    /// Tells whether the answer is a file and not JSON.
    pub(crate) fn is_file(&self) -> bool {
        self.response.status() == StatusCode::OK
            && self.header(CONTENT_TYPE) == Some("application/octet-stream")
    }

    pub(crate) async fn into_reply<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        if self.response.status() != StatusCode::OK {
            // The status is enough if the body is cut off.
            let body = self.read(FOREIGN_REPLY_BYTES).await.unwrap_or_default();
            return Err(self.into_http_error(&body));
        }
        let body = self.read(MAX_REPLY_BYTES).await?;
        if body.len() > MAX_REPLY_BYTES {
            let reason = format!("it is larger than {MAX_REPLY_BYTES} bytes");
            return Err(undecodable(self.action, &reason, &body, self.request_id()));
        }
        decode(self.action, self.request_id(), &body)
    }

    /// Reads the answer about an upload: its head on success, else a refusal, whatever its HTTP status.
    pub(crate) async fn into_upload_state(mut self) -> Result<UploadState, Error> {
        let offset = self.header("Upload-Offset").and_then(|text| text.parse().ok());
        let hash = self.header("Upload-Blake3").map(str::to_owned);
        // A server that names none knows only the plain one.
        let kind = self.header("Upload-Hash").and_then(HashKind::from_name).unwrap_or_default();
        let status = self.response.status();
        if status.is_success()
            && let Some(offset) = offset
        {
            return Ok(UploadState { offset, hash, kind });
        }
        let body = self.read(FOREIGN_REPLY_BYTES).await.unwrap_or_default();
        // A conflict has the offset to resume at; by its code alone it looks like a wrong parameter.
        if status != StatusCode::CONFLICT
            && let Err(error @ Error::Api { .. }) =
                decode::<serde_json::Value>(self.action, self.request_id(), &body)
        {
            return Err(error);
        }
        Err(self.into_http_error(&body))
    }

    fn into_http_error(self, body: &[u8]) -> Error {
        let (action, status) = (self.action, self.response.status().as_u16());
        Error::Http { action, status, excerpt: excerpt(body), request_id: self.request_id() }
    }

    /// Reads an answer that should have been a file and is not.
    pub(crate) async fn into_refusal(self) -> Error {
        let (action, request_id) = (self.action, self.request_id());
        match self.into_reply::<serde_json::Value>().await {
            Err(error) => error,
            Ok(reply) => {
                let body = reply.to_string();
                undecodable(action, "it claims success and is no file", body.as_bytes(), request_id)
            }
        }
    }

    /// Tells whether the answer is a part of a file that begins at this byte.
    pub(crate) fn is_part_from(&self, at: u64) -> bool {
        self.response.status() == StatusCode::PARTIAL_CONTENT
            && self.header(CONTENT_RANGE).is_some_and(|range| range.starts_with(&format!("bytes {at}-")))
    }

    /// The length in bytes of an answer that is a file, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The strong tag of an answer that is a file, if there is one.
    pub(crate) fn etag(&self) -> Option<HeaderValue> {
        let tag = self.response.headers().get(ETAG);
        tag.filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()
    }

    /// Reads the next bytes of an answer that is a file; `None` at its end. It is an error if none come for `silence`.
    pub(crate) async fn next(&mut self, silence: Duration) -> Result<Option<Bytes>, Error> {
        let timed_out = Error::Timeout { action: self.action, after: silence };
        timeout(silence, self.chunk()).await.unwrap_or(Err(timed_out))
    }

    /// Reads the body to its end, or until it is longer than `limit` bytes.
    async fn read(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while body.len() <= limit
            && let Some(chunk) = self.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.response.chunk().await.map_err(|error| network_error(self.action, error))
    }
}

fn network_error(action: Action, error: reqwest::Error) -> Error {
    // The URL of an export carries its signature.
    let source = error.without_url();
    if source.is_connect() {
        Error::Connect { action, source: source.into() }
    } else {
        Error::Transport { action, source: source.into() }
    }
}
