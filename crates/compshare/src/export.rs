use bytes::Bytes;
use futures::Stream;
use jingku_protocol::RetCode;
use jingku_protocol::actions::{Action, ExportCompShareCustomImageRequest};

use crate::client::Client;
use crate::error::Error;
use crate::retry;

impl Client {
    /// Reads an image as a raw disk, holes as zeros: its length in bytes, if the server tells it, and its bytes.
    ///
    /// An extension of Jingku; any other endpoint is [`Error::CannotExport`]. Opening is retried like any call; once
    /// bytes flow, an error ends the stream. The whole may take any time, but a silence of
    /// [`Config::timeout`](crate::Config::timeout) is an error.
    pub async fn export(
        &self,
        image_id: &str,
    ) -> Result<(Option<u64>, impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<>), Error> {
        let request = ExportCompShareCustomImageRequest { image_id: image_id.to_owned() };
        let opened = retry::run(self.config(), Action::ExportCompShareCustomImage, || async {
            let exchange = self.open(&request).await?;
            if exchange.is_file() {
                return Ok(exchange);
            }
            Err(exchange.into_refusal().await)
        });
        match opened.await {
            Ok(exchange) => {
                let (length, bytes) = exchange.into_file(self.config().timeout);
                Ok((length, Box::pin(bytes)))
            }
            Err(Error::Api { code, request_id, .. }) if code == RetCode::ActionNotFound.code() => {
                Err(Error::CannotExport { request_id })
            }
            Err(error) => Err(error),
        }
    }
}
