use bytes::Bytes;
use futures::{Stream, stream};
use jingku_protocol::RetCode;
use jingku_protocol::actions::{
    Action, ExportCompShareCustomImageRequest, GetCompShareCustomImageUrlRequest,
};
use reqwest::header::HeaderValue;

use crate::client::Client;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::retry;

impl Client {
    /// Reads an image as a raw disk, holes as zeros: its length in bytes, if known, and its bytes.
    ///
    /// An extension of Jingku; any other endpoint fails with [`Error::CannotExport`]. Opening is retried like any call. A
    /// broken connection resumes where it was; if it breaks again without another byte, the stream ends with an error. A
    /// connection without bytes for [`Config::timeout`](crate::Config::timeout) counts as broken; the total time has no
    /// limit.
    pub async fn export(
        &self,
        image_id: &str,
    ) -> Result<(Option<u64>, impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>), Error> {
        let request = ExportCompShareCustomImageRequest { image_id: image_id.into() };
        let opened = retry::run(&self.config, Action::ExportCompShareCustomImage, || async {
            let exchange = self.open(&request).await?;
            if exchange.is_file() { Ok(exchange) } else { Err(exchange.into_refusal().await) }
        });
        let exchange = opened.await.map_err(|error| match error {
            Error::Api { code, request_id, .. } if code == RetCode::ActionNotFound.code() => {
                Error::CannotExport { request_id }
            }
            error => error,
        })?;
        let length = exchange.length();
        let reading = Reading {
            client: self.clone(),
            image_id: image_id.to_owned(),
            etag: exchange.etag(),
            exchange,
            at: 0,
            moved: false,
        };
        let bytes = stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|bytes| (bytes, reading)))
        });
        Ok((length, Box::pin(bytes)))
    }
}

struct Reading {
    client: Client,
    image_id: String,
    /// Identifies the disk; without it, reading cannot resume.
    etag: Option<HeaderValue>,
    exchange: Exchange,
    at: u64,
    /// Whether the current connection has brought any.
    moved: bool,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.exchange.next(self.client.config.timeout).await {
                Ok(Some(bytes)) => {
                    (self.at, self.moved) = (self.at + bytes.len() as u64, true);
                    return Ok(Some(bytes));
                }
                Ok(None) => return Ok(None),
                Err(error) => self.resume(error).await?,
            }
        }
    }

    /// Opens a new connection where the last one broke, or returns the error that broke it.
    async fn resume(&mut self, error: Error) -> Result<(), Error> {
        let Some(etag) = self.etag.as_ref().filter(|_| self.moved) else { return Err(error) };
        let request = GetCompShareCustomImageUrlRequest {
            image_id: self.image_id.as_str().into(),
            ..GetCompShareCustomImageUrlRequest::default()
        };
        let Ok(link) = self.client.get_comp_share_custom_image_url(&request).await else { return Err(error) };
        let opened = retry::run(&self.client.config, Action::GetCompShareCustomImageUrl, || async {
            let exchange = self.client.open_link(&link.url, self.at, etag).await?;
            if exchange.is_part_from(self.at) { Ok(exchange) } else { Err(exchange.into_refusal().await) }
        });
        let Ok(exchange) = opened.await else { return Err(error) };
        (self.exchange, self.moved) = (exchange, false);
        Ok(())
    }
}
