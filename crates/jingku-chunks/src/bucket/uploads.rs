//! Multipart uploads that were never completed: their parts are invisible and cost money.

use std::time::Duration;

use futures::StreamExt;
use http::{Method, Request};
use jiff::Timestamp;
use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use serde::Deserialize;

use super::requests::REQUESTS_AT_ONCE;
use super::settings::{BucketUrl, REQUEST_TIMEOUT};
use super::trouble::Trouble;
use crate::key::Kind;

/// The answer to `ListMultipartUploads`, at most 1,000 uploads.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(default)]
    upload: Vec<Upload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
    initiated: String,
}

/// Ends the uploads of manifests that began before a Unix time, and returns how many there were.
pub(super) async fn abort(
    s3: AmazonS3,
    client: HttpClient,
    url: BucketUrl,
    before: i64,
) -> Result<u64, Trouble> {
    let below = format!("{}/", url.path(Kind::Manifest.folder()));
    let (mut key_marker, mut id_marker, mut aborted) = (String::new(), String::new(), 0);
    loop {
        let Listing { is_truncated, next_key_marker, next_upload_id_marker, upload } =
            list(&s3, &client, &below, &key_marker, &id_marker).await?;
        // Not what other programs upload to the same bucket.
        let is_ours = |upload: &Upload| upload.key.starts_with(&below) && upload.began_before(before);
        let mut aborting = futures::stream::iter(upload.into_iter().filter(is_ours))
            .map(|Upload { key, id, .. }| {
                let s3 = s3.clone();
                async move { s3.abort_multipart(&Path::from(key), &id).await }
            })
            .buffer_unordered(REQUESTS_AT_ONCE);
        while let Some(ended) = aborting.next().await {
            match ended {
                // Another sweep has ended it.
                Err(object_store::Error::NotFound { .. }) => {}
                ended => {
                    ended?;
                    aborted += 1;
                }
            }
        }
        if !is_truncated || (&next_key_marker, &next_upload_id_marker) == (&key_marker, &id_marker) {
            return Ok(aborted);
        }
        (key_marker, id_marker) = (next_key_marker, next_upload_id_marker);
    }
}

/// Lists uploads after a marker. `object_store` cannot.
async fn list(
    s3: &AmazonS3,
    client: &HttpClient,
    below: &str,
    key_marker: &str,
    id_marker: &str,
) -> Result<Listing, Trouble> {
    let mut query = vec![("uploads", ""), ("prefix", below)];
    if !key_marker.is_empty() {
        query.extend([("key-marker", key_marker), ("upload-id-marker", id_marker)]);
    }
    let options = SignedUrlOptions::default().with_query(query);
    let expires_in: Duration = REQUEST_TIMEOUT;
    let url = s3.signed_url_opts(Method::GET, &Path::default(), expires_in, &options).await?;
    let request = Request::get(url.as_str()).body(HttpRequestBody::empty());
    let request = request.map_err(|error| Trouble::explain(&error.to_string()))?;
    let answer = client.execute(request).await.map_err(|error| Trouble::explain(&error.to_string()))?;
    let status = answer.status();
    let body = answer.into_body().bytes().await.map_err(|error| Trouble::explain(&error.to_string()))?;
    let text = String::from_utf8_lossy(&body);
    if !status.is_success() {
        return Err(Trouble::explain(&format!("{status}: {text}")));
    }
    quick_xml::de::from_str(&text).map_err(|error| Trouble::explain(&format!("{error} in {text}")))
}

impl Upload {
    fn began_before(&self, before: i64) -> bool {
        // One without a valid time is left alone.
        self.initiated.parse::<Timestamp>().is_ok_and(|began| began.as_second() < before)
    }
}
