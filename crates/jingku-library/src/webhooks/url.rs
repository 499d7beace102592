//! Which URLs a webhook may have.

use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::address::is_public;

/// Maximum length of the URL of a webhook, in bytes.
const MAX_WEBHOOK_URL_BYTES: usize = 1024;

/// Parses the URL of a webhook: HTTP or HTTPS, without a user, and not the address of a private network unless those are
/// allowed. The addresses of a name are checked when it is resolved.
pub(super) fn parse(text: &str, private_addresses: bool) -> Option<Url> {
    // What the parser corrects silently, such as control characters, is refused.
    if text.len() > MAX_WEBHOOK_URL_BYTES || HeaderValue::from_str(text).is_err() || text.contains('\\') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_allowed = private_addresses || literal_address(&url).is_none_or(is_public);
    (is_web && is_plain && is_allowed).then_some(url)
}

/// The address that a URL has instead of a name.
pub(super) fn literal_address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_has_a_url_of_the_internet() {
        for url in ["https://ci.example.com/hooks?x=1", "http://1.1.1.1:8080/", "https://[2606:4700::1111]/"]
        {
            assert!(parse(url, false).is_some(), "{url}");
        }
        // Each of these is another spelling of a private address.
        let private =
            ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "[::ffff:10.0.0.1]", "127.1"];
        for host in private.map(|host| format!("http://{host}/")) {
            assert!(parse(&host, false).is_none(), "{host}");
            assert!(parse(&host, true).is_some(), "{host}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_WEBHOOK_URL_BYTES));
        for url in [
            "",
            "example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "https://example.com/#part",
            "http://exa\nmple.com/",
            "http:\\\\example.com",
            &long,
        ] {
            assert!(parse(url, true).is_none(), "{url}");
        }
    }
}
