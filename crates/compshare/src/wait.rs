use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest, GetCompShareImageCreateProgressRequest,
    GetCompShareImageCreateProgressResponse, Place,
};
use jingku_protocol::{Class, Image, ImageStatus};

use crate::client::Client;
use crate::error::Error;

/// How to wait for an image.
#[derive(Clone, Debug)]
pub struct WaitOptions {
    /// Where the image is; empty for the client's defaults.
    pub place: Place,
    /// The longest time to wait; 30 minutes unless set, as the official CLI does.
    pub timeout: Duration,
    /// The first pause between polls; 0.2 s unless set. Each pause is 1.25 times as long as the one before.
    pub first_pause: Duration,
    /// The longest pause; 5 s unless set.
    pub longest_pause: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            place: Place::default(),
            timeout: Duration::from_mins(30),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
        }
    }
}

impl Client {
    /// Waits until an image has been made, and returns it. Calls `observer` with every progress report.
    ///
    /// | progress says | the image's row says | what happens |
    /// |---|---|---|
    /// | `Making` | not read | polls again |
    /// | `Failed` | not read | [`Error::ImageFailed`] |
    /// | `Available`, no status, or a refusal | `Available`, `Reviewing`, `Offline` | the image |
    /// | likewise | `UnAvailable` | [`Error::ImageFailed`] |
    /// | likewise | `Making` | polls again |
    /// | likewise | an unknown status | the image if `Process` is 100, else polls again |
    /// | likewise | no such row | [`Error::ImageGone`] |
    ///
    /// Only Jingku reports a status with the progress, and the cloud reports no progress for container images: there the
    /// row decides. Fails with [`Error::StillMaking`] after [`WaitOptions::timeout`], and with the error of a call. Waiting
    /// again is always safe.
    pub async fn wait_until_available(
        &self,
        image_id: &str,
        options: &WaitOptions,
        mut observer: impl FnMut(&GetCompShareImageCreateProgressResponse) + Send,
    ) -> Result<Image, Error> {
        let refused = |error: &Error| {
            error.ret_code().is_some()
                && !matches!(error.class(), Class::FixCredentials | Class::AskAgainLater)
        };
        let looking = async {
            let mut pauses = ExponentialBuilder::new()
                .with_factor(1.25)
                .with_min_delay(options.first_pause)
                .with_max_delay(options.longest_pause)
                .without_max_times()
                .build();
            let request = GetCompShareImageCreateProgressRequest {
                place: options.place.clone(),
                image_id: image_id.into(),
            };
            loop {
                let progress = match self.call(&request).await {
                    Ok(progress) => {
                        observer(&progress);
                        progress
                    }
                    // The server does not report it for this image or for its kind.
                    Err(error) if refused(&error) => GetCompShareImageCreateProgressResponse::default(),
                    Err(error) => return Err(error),
                };
                if let Some(image) = self.made(image_id, &options.place, progress).await? {
                    return Ok(image);
                }
                tokio::time::sleep(pauses.next().unwrap_or(options.longest_pause)).await;
            }
        };
        tokio::time::timeout(options.timeout, looking).await.unwrap_or_else(|_| {
            Err(Error::StillMaking { image_id: image_id.to_owned(), after: options.timeout })
        })
    }

    /// The image if it has been made, `None` if it is being made.
    async fn made(
        &self,
        image_id: &str,
        place: &Place,
        progress: GetCompShareImageCreateProgressResponse,
    ) -> Result<Option<Image>, Error> {
        let failed = |reason| Error::ImageFailed { image_id: image_id.to_owned(), reason };
        match progress.status.as_str() {
            "Making" => return Ok(None),
            "Failed" => return Err(failed(progress.failed_reason)),
            _ => {}
        }
        let request = DescribeCompShareCustomImagesRequest {
            place: place.clone(),
            image_id: Some(image_id.into()),
            ..DescribeCompShareCustomImagesRequest::default()
        };
        let rows = self.call(&request).await?.image_set;
        let row = rows.into_iter().find(|row| row.comp_share_image_id == image_id);
        let image = row.ok_or_else(|| Error::ImageGone { image_id: image_id.to_owned() })?;
        match image.status {
            ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => Ok(Some(image)),
            ImageStatus::UnAvailable => Err(failed(image.failed_reason)),
            ImageStatus::Making => Ok(None),
            ImageStatus::Unknown => Ok((progress.process >= 100.0).then_some(image)),
        }
    }
}
