//! The base URL of links in responses.

use std::fmt;

use http::Uri;
use http::uri::Scheme;
use serde::{Deserialize, Serialize, Serializer};

/// Maximum length of `public_url`, in bytes. Every row of a list may contain one.
const LENGTH_MAX: usize = 256;

/// An absolute HTTP URL without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(String);

/// A text that is not a [`PublicUrl`].
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} cannot be the public URL: write it like https://images.example.com, without user, query or fragment, in at \
     most {LENGTH_MAX} bytes"
)]
pub struct BadPublicUrl(String);

impl TryFrom<String> for PublicUrl {
    type Error = BadPublicUrl;

    fn try_from(text: String) -> Result<Self, BadPublicUrl> {
        if is_public_url(&text) {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(BadPublicUrl(text))
        }
    }
}

fn is_public_url(text: &str) -> bool {
    // The parser ignores a fragment and accepts path characters that are unsafe in HTML.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/:[]".contains(&byte);
    if text.len() > LENGTH_MAX || !text.bytes().all(plain) {
        return false;
    }
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let http = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
    http && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PublicUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_absolute_http_url() {
        for (text, url) in [
            ("https://images.example.com", "https://images.example.com"),
            ("https://images.example.com/", "https://images.example.com"),
            ("http://[::1]:8480", "http://[::1]:8480"),
            ("http://10.0.0.1:80/jingku/", "http://10.0.0.1:80/jingku"),
        ] {
            assert_eq!(PublicUrl::try_from(text.to_owned()).unwrap().to_string(), url);
        }
        let long = format!("https://{}.example", "a".repeat(LENGTH_MAX));
        for text in [
            "",
            "images.example.com",
            "/covers",
            "ftp://example.com",
            "https://",
            "https:///x",
            "https://user@example.com",
            "https://example.com?x=1",
            "https://example.com/#x",
            "https://exa mple.com",
            "https://example.com/\"",
            "javascript:alert(1)",
            &long,
        ] {
            assert!(PublicUrl::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
