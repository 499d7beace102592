//! Restricts control of the lab to programs on this machine.
//!
//! A web page in a local browser must not control the lab. It can send requests to loopback, even under its own host name
//! (DNS rebinding), but it cannot send a custom header without a CORS preflight, and the lab answers none.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// A request must have this header, with any value.
const HEADER: &str = "x-jingku-lab";

pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), &'static str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_loopback) {
        return Err("The lab is available only on this machine: send the request to a loopback address.");
    }
    if !headers.contains_key(HEADER) {
        return Err("The header X-Jingku-Lab is missing.");
    }
    if headers.contains_key(header::ORIGIN) {
        return Err("The lab refuses requests of web pages.");
    }
    Ok(())
}

/// Whether a `Host` header is localhost or a loopback address.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_accepted() {
        for host in
            ["127.0.0.1", "127.0.0.1:8480", "127.9.9.9:1", "localhost:80", "LOCALHOST", "[::1]:8480", "[::1]"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8480",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0:1",
            "127.0.0.1.evil:1",
            "[::]:1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
