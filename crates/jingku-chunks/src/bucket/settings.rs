//! The settings of an object store.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use crate::error::{Error, Result};

/// How often a request is attempted if the object store is overloaded or fails.
pub(super) const ATTEMPTS_MAX: usize = 8;
/// The longest pause between two attempts.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long connecting to the object store may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt may take, with its body of at most 8 MiB, or of 1 MiB when reading.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// After this time, a request is not attempted again. Signatures expire after 15 minutes.
pub(super) const RETRY_TIMEOUT: Duration = Duration::from_mins(2);

/// Where a bucket is and how to reach it. Credentials come from the usual environment variables, such as
/// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
#[derive(Clone, Default)]
pub struct BucketSettings {
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    pub url: BucketUrl,
    /// The base URL of the service; that of AWS if absent.
    pub endpoint: Option<String>,
    /// The region that signatures name; `AWS_REGION`, or `us-east-1`, if absent.
    pub region: Option<String>,
    /// Whether the bucket is the first part of the path of a URL, not of its host name.
    pub path_style: bool,
    /// Whether the endpoint may be reached without TLS.
    pub allow_http: bool,
    /// A key pair instead of one from the environment.
    pub key_pair: Option<(String, String)>,
    /// A folder for manifests that are being written; that of the system if absent.
    pub scratch: Option<PathBuf>,
}

/// The bucket and the prefix of all names in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketUrl {
    /// The bucket.
    pub bucket: String,
    /// The prefix, without slashes at its ends. May be empty.
    pub prefix: String,
}

impl BucketUrl {
    /// Reads `s3://BUCKET/PREFIX`; `None` if the text is not of this form.
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = text.strip_prefix("s3://")?.split_once('/').unwrap_or((&text[5..], ""));
        let prefix = prefix.trim_end_matches('/');
        // What needs no encoding anywhere.
        let is_plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let parts = prefix.split('/').filter(|_| !prefix.is_empty());
        let prefix_is_plain =
            parts.into_iter().all(|part| is_plain(part) && !matches!(part, "" | "." | ".."));
        let is_bucket = is_plain(bucket) && !matches!(bucket, "" | "." | "..");
        (is_bucket && prefix_is_plain).then(|| Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Returns the path of an object below the prefix.
    pub(super) fn path(&self, below: &str) -> Path {
        self.prefix.split('/').chain(below.split('/')).filter(|part| !part.is_empty()).collect()
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

impl BucketSettings {
    pub(super) fn client_options(&self) -> ClientOptions {
        ClientOptions::new()
            .with_allow_http(self.allow_http)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(REQUEST_TIMEOUT)
    }

    pub(super) fn client(&self) -> Result<AmazonS3> {
        let plain = self.endpoint.as_ref().filter(|url| url.starts_with("http://"));
        if let Some(endpoint) = plain.filter(|_| !self.allow_http) {
            let refusal =
                "has no TLS, so others can read and change images on the way. Use https://, or allow it";
            return Err(Error::Settings(format!(
                "the endpoint {endpoint} {refusal} with `allow_http = true`"
            )));
        }
        let backoff = BackoffConfig { max_backoff: PAUSE_MAX, ..BackoffConfig::default() };
        let retry = RetryConfig { backoff, max_retries: ATTEMPTS_MAX - 1, retry_timeout: RETRY_TIMEOUT };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&self.url.bucket)
            .with_virtual_hosted_style_request(!self.path_style)
            // Else the service would verify only the signature of the request, which some omit.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(self.client_options())
            .with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(self.endpoint_of_bucket(endpoint)?);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some((id, secret)) = &self.key_pair {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        } else if self.endpoint.is_some() && !has_credentials(&builder) {
            // The client would ask the metadata service of AWS for a minute.
            let advice = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(Error::Settings(format!("there are no credentials for the object store. {advice}")));
        }
        builder.build().map_err(|error| Error::Settings(format!("the object store cannot be used: {error}")))
    }

    /// The client expects the bucket in the host name if it is not in the path.
    fn endpoint_of_bucket(&self, endpoint: &str) -> Result<String> {
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(|| {
            Error::Settings(format!("the endpoint {endpoint:?} is not a URL such as https://s3.example.com"))
        })?;
        Ok(if self.path_style {
            endpoint.to_owned()
        } else {
            format!("{scheme}://{}.{rest}", self.url.bucket)
        })
    }
}

/// Whether the environment has credentials other than those of the metadata service.
fn has_credentials(builder: &AmazonS3Builder) -> bool {
    [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::WebIdentityTokenFile,
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ]
    .iter()
    .any(|key| builder.get_config_value(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_bucket_and_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://images", "images", ""),
            ("s3://images/", "images", ""),
            ("s3://my.images/jingku/lab-1/", "my.images", "jingku/lab-1"),
        ] {
            let url = BucketUrl::parse(text).unwrap();
            assert_eq!((url.bucket.as_str(), url.prefix.as_str()), (bucket, prefix));
            assert_eq!(url.to_string(), text.trim_end_matches('/'));
        }
        for text in [
            "",
            "images",
            "s3://",
            "s3:///x",
            "s3://a b",
            "s3://a/../b",
            "s3://a//b",
            "https://a/b",
            "s3://a/b?c",
        ] {
            assert_eq!(BucketUrl::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_endpoint_without_tls_must_be_allowed() {
        let url = BucketUrl::parse("s3://images").unwrap();
        let endpoint = Some("http://127.0.0.1:1".to_owned());
        let settings = BucketSettings { url, endpoint, path_style: true, ..BucketSettings::default() };
        let error = settings.client().unwrap_err().to_string();
        assert!(error.contains("allow_http"), "{error}");
        let allowed = BucketSettings { allow_http: true, ..settings };
        let error = allowed.client().unwrap_err().to_string();
        assert!(error.contains("no credentials"), "{error}");
        let key_pair = Some(("id".to_owned(), "secret".to_owned()));
        assert!(BucketSettings { key_pair, ..allowed }.client().is_ok());
    }
}
