//! The address of a server, as people write it.

use std::net::Ipv6Addr;

use reqwest::Url;

use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// Returns the address without surrounding white space, or an error that says what is wrong with it.
pub(crate) fn check(text: &str) -> Result<String, Failure> {
    let refused = |message| Failure::new(Exit::Usage, message);
    let text = text.trim_start_matches('\u{feff}').trim();
    let url = format!("{text:?}");
    if !text.contains("://") && !text.starts_with("http:") && !text.starts_with("https:") {
        return Err(refused(tr!("connection-url-no-scheme", url, host = host(text))));
    }
    let parsed: Url = text
        .parse()
        .map_err(|error| refused(tr!("connection-url-invalid", url, error = format!("{error}"))))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(refused(tr!("connection-url-scheme", url)));
    }
    // Not shown: a password may be in it.
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refused(tr!("connection-url-credentials")));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(refused(tr!("connection-url-query", url)));
    }
    Ok(text.to_owned())
}

/// The host that was probably meant: a port alone is on this machine, and an IPv6 address needs brackets.
fn host(text: &str) -> String {
    let text = text.trim_start_matches('/');
    let port = text.strip_prefix(':').unwrap_or(text);
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("127.0.0.1:{port}");
    }
    let is_address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        Some((address, port)) if is_address(address) && port.parse::<u16>().is_ok() => {
            format!("[{address}]:{port}")
        }
        _ if is_address(text) => format!("[{text}]"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_is() {
        for text in ["http://127.0.0.1:8480", "https://images.example.com/api/", "http://[::1]:1"] {
            assert_eq!(check(text).unwrap(), text);
        }
        for text in [" http://h:1/ \r\n", "\u{feff}http://h:1/"] {
            assert_eq!(check(text).unwrap(), "http://h:1/");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("127.0.0.1:8480", "Write http://127.0.0.1:8480"),
            ("localhost:8480", "Write http://localhost:8480"),
            ("example.com", "Write http://example.com"),
            ("//h:1/api", "Write http://h:1/api,"),
            ("8480", "Write http://127.0.0.1:8480,"),
            (":8480", "Write http://127.0.0.1:8480,"),
            ("::1:8480", "Write http://[::1]:8480,"),
            ("::1", "Write http://[::1],"),
            ("[::1]:8480", "Write http://[::1]:8480,"),
            ("ftp://h", "must start with http://"),
            ("http://", "is invalid"),
            ("http://h:99999", "is invalid"),
            ("http://h/?a=b", "query"),
            ("http://h/#a", "query"),
        ] {
            let message = format!("{:?}", check(text).unwrap_err());
            assert!(message.contains(words), "{text:?}: {message}");
        }
        let message = format!("{:?}", check("http://me:secret@h:1").unwrap_err());
        assert!(message.contains("password") && !message.contains("secret"), "{message}");
    }
}
