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
    /// Reads an image as a raw disk, holes as zeros: its length in bytes, if the server tells it, and its bytes.
    ///
    /// An extension of Jingku; any other endpoint is [`Error::CannotExport`]. Opening is retried like any call. Once
    /// bytes flow, a connection that breaks is gone on with where it was; one that breaks again before another byte has
    /// come ends the stream with an error. The whole may take any time, but a silence of
    /// [`Config::timeout`](crate::Config::timeout) counts as broken.
    pub async fn export(
        &self,
        image_id: &str,
    ) -> Result<(Option<u64>, impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>), Error> {
        let request = ExportCompShareCustomImageRequest { image_id: image_id.into() };
        let opened = retry::run(self.config(), Action::ExportCompShareCustomImage, || async {
            let exchange = self.open(&request).await?;
            if exchange.is_file() {
                return Ok(exchange);
            }
            Err(exchange.into_refusal().await)
        });
        match opened.await {
            Ok(exchange) => {
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
            Err(Error::Api { code, request_id, .. }) if code == RetCode::ActionNotFound.code() => {
                Err(Error::CannotExport { request_id })
            }
            Err(error) => Err(error),
        }
    }
}

/// An image on its way in.
struct Reading {
    client: Client,
    image_id: String,
    /// What tells its bytes from those of another disk; without it nothing can be gone on with.
    etag: Option<HeaderValue>,
    exchange: Exchange,
    /// Bytes that have come.
    at: u64,
    /// Whether some have come over the connection of now.
    moved: bool,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.exchange.next(self.client.config().timeout).await {
                Ok(Some(bytes)) => {
                    (self.at, self.moved) = (self.at + bytes.len() as u64, true);
                    return Ok(Some(bytes));
                }
                Ok(None) => return Ok(None),
                Err(error) => self.go_on(error).await?,
            }
        }
    }

    /// Opens another connection where the last one broke, or gives the error back that broke it.
    async fn go_on(&mut self, error: Error) -> Result<(), Error> {
        let Some(etag) = self.etag.as_ref().filter(|_| self.moved) else { return Err(error) };
        let request = GetCompShareCustomImageUrlRequest {
            image_id: self.image_id.as_str().into(),
            ..GetCompShareCustomImageUrlRequest::default()
        };
        let Ok(link) = self.client.get_comp_share_custom_image_url(&request).await else { return Err(error) };
        let config = self.client.config();
        let opened = retry::run(config, Action::GetCompShareCustomImageUrl, || async {
            let exchange = self.client.open_link(&link.url, self.at, etag).await?;
            if exchange.is_part_from(self.at) { Ok(exchange) } else { Err(exchange.into_refusal().await) }
        });
        match opened.await {
            Ok(exchange) => {
                (self.exchange, self.moved) = (exchange, false);
                Ok(())
            }
            Err(_) => Err(error),
        }
    }
}
