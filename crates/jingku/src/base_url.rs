//! The address of a server, as people write it.

use std::net::Ipv6Addr;

use reqwest::Url;

use crate::failure::{Exit, Failure};
use crate::lang::tr;

/// Answers the address without what stands around it, or says what is wrong with it.
pub(crate) fn check(text: &str) -> Result<String, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let http = text.starts_with("http:") || text.starts_with("https:");
    if !text.contains("://") && !http {
        let host = host(text);
        return Err(refuse(
            &format!(
                "The base URL {text:?} has no http:// or https://. Write http://{host}, or https://{host} if the server speaks TLS."
            ),
            &format!(
                "API 地址 {text:?} 缺少 http:// 或 https://。请写成 http://{host}；服务使用 TLS 时写成 https://{host}。"
            ),
        ));
    }
    let url: Url = text.parse().map_err(|error| {
        refuse(
            &format!("The base URL {text:?} cannot be used: {error}."),
            &format!("无法使用 API 地址 {text:?}：{error}。"),
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse(
            &format!("The base URL {text:?} must begin with http:// or https://."),
            &format!("API 地址 {text:?} 必须以 http:// 或 https:// 开头。"),
        ));
    }
    // Not shown: a password may be in it.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(
            "The base URL has a user name or a password in it, which the API does not use. Leave out what stands before the @.",
            "API 地址中含有用户名或密码，而 API 不使用它们。请去掉 @ 之前的部分。",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse(
            &format!(
                "The base URL {text:?} has a query or a fragment. Leave out what follows the ? or the #."
            ),
            &format!("API 地址 {text:?} 含有查询参数或片段。请去掉 ? 或 # 之后的部分。"),
        ));
    }
    Ok(text.to_owned())
}

/// What was probably meant to follow the scheme: a port alone is one of this machine, and an IPv6 address needs
/// brackets.
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

fn refuse(english: &str, chinese: &str) -> Failure {
    Failure::new(Exit::Usage, tr(english, chinese))
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
            ("ftp://h", "must begin with http://"),
            ("http://", "cannot be used"),
            ("http://h:99999", "cannot be used"),
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
