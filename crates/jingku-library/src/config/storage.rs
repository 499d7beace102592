//! Where the data of images is.

use jingku_chunks::BucketUrl;
use serde::{Deserialize, Serialize};

/// A bucket, and a prefix in it: `s3://BUCKET/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorageUrl(pub(crate) BucketUrl);

/// A text that is not a [`StorageUrl`].
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} cannot be the storage: write it like s3://bucket or s3://bucket/prefix, with letters, digits, and `-`, `_` and `.` only"
)]
pub struct BadStorageUrl(String);

impl TryFrom<String> for StorageUrl {
    type Error = BadStorageUrl;

    fn try_from(text: String) -> Result<Self, BadStorageUrl> {
        BucketUrl::parse(&text).map(Self).ok_or(BadStorageUrl(text))
    }
}

impl From<StorageUrl> for String {
    fn from(url: StorageUrl) -> Self {
        url.0.to_string()
    }
}

/// How to reach the object store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3Settings {
    /// The base URL of the service; that of AWS if absent.
    pub endpoint: Option<String>,
    /// The region that signatures name; `AWS_REGION`, or `us-east-1`, if absent.
    pub region: Option<String>,
    /// Whether the bucket is in the path of a URL, as most services other than AWS expect, instead of the host name.
    pub path_style: bool,
    /// Whether the endpoint may be reached without TLS.
    pub allow_http: bool,
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_storage_is_a_bucket() {
        let text =
            "storage = 's3://images/lab'\n[s3]\nendpoint = 'https://s3.example.com'\npath_style = true";
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(String::from(config.storage.unwrap()), "s3://images/lab");
        assert!(config.s3.path_style && !config.s3.allow_http);
        let error = toml::from_str::<Config>("storage = 'https://images'").unwrap_err().to_string();
        assert!(error.contains("s3://bucket/prefix"), "{error}");
    }
}
