//! The address of the client behind a trusted proxy.

use std::io;
use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use jingku_library::{ProxyProtocol, ProxySettings};
use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};

const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// The first bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Length of the part of version 2 that states the length of the rest, in bytes.
const V2_HEAD_BYTES: usize = 16;
/// The shortest line of version 1 is `PROXY UNKNOWN` and a line end.
const V1_BYTES_MIN: usize = 15;
/// The longest line of version 1, in bytes, as its specification says.
const V1_BYTES_MAX: usize = 107;
/// Maximum length of a header of version 2, in bytes: addresses and a few optional fields.
const V2_BYTES_MAX: usize = 2048;

/// Whether a connection from this address starts with a header of the PROXY protocol.
pub(super) fn expects_header(proxies: &ProxySettings, peer: IpAddr) -> bool {
    proxies.protocol == ProxyProtocol::Proxy && proxies.trusts(peer)
}

/// Reads the header of the PROXY protocol, and nothing after it. Returns the address of the client; `None` if the proxy
/// connects for itself, as for a health check.
pub(super) async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let mut header = vec![0; V1_BYTES_MIN];
    stream.read_exact(&mut header).await?;
    if header.starts_with(SIGNATURE) {
        header.push(stream.read_u8().await?);
        let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if V2_HEAD_BYTES + length > V2_BYTES_MAX {
            return Err(invalid());
        }
        header.resize(V2_HEAD_BYTES + length, 0);
        stream.read_exact(&mut header[V2_HEAD_BYTES..]).await?;
    } else {
        while !header.ends_with(b"\r\n") {
            if header.len() == V1_BYTES_MAX {
                return Err(invalid());
            }
            header.push(stream.read_u8().await?);
        }
    }
    let config = ParseConfig { include_tlvs: false, allow_v1: true, allow_v2: true };
    let (parsed, length) = ProxyHeader::parse(&header, config).map_err(|_| invalid())?;
    if length != header.len() {
        return Err(invalid());
    }
    Ok(parsed.proxied_address().map(|address| address.source))
}

/// The client of a request from `peer`: `peer` itself, or what a trusted proxy says. `None` if the proxy does not know it.
///
/// Each proxy appends the address that it sees. So the client is the last address that is not that of a trusted proxy;
/// clients can forge those before it.
pub(super) fn client(proxies: &ProxySettings, peer: SocketAddr, headers: &HeaderMap) -> Option<SocketAddr> {
    if proxies.protocol != ProxyProtocol::XForwardedFor || !proxies.trusts(peer.ip()) {
        return Some(peer);
    }
    let mut client = Some(peer);
    for value in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        for entry in value.as_bytes().rsplit(|byte| *byte == b',') {
            client = str::from_utf8(entry).ok().and_then(|entry| address(entry.trim()));
            if client.is_none_or(|client| !proxies.trusts(client.ip())) {
                return client;
            }
        }
    }
    // Every address is that of a proxy: the first one asks for itself.
    client
}

/// An address with or without a port.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 0));
    address.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use proxy_header::ProxiedAddress;

    use super::*;

    async fn header(bytes: &[u8]) -> io::Result<Option<SocketAddr>> {
        let mut rest = bytes;
        let read = read_header(&mut rest).await;
        assert!(read.is_err() || rest == b"GET /", "{rest:?}");
        read
    }

    fn v2(client: &str) -> Vec<u8> {
        let address = ProxiedAddress::stream(client.parse().unwrap(), "192.0.2.1:443".parse().unwrap());
        let mut bytes = Vec::new();
        ProxyHeader::with_address(address).encode_v2(&mut bytes).unwrap();
        bytes
    }

    #[tokio::test]
    async fn both_versions_are_read_to_their_end() {
        let client = Some("198.51.100.7:4000".parse().unwrap());
        let v1 = b"PROXY TCP4 198.51.100.7 192.0.2.1 4000 443\r\nGET /";
        assert_eq!(header(v1).await.unwrap(), client);
        assert_eq!(header(&[&v2("198.51.100.7:4000"), &b"GET /"[..]].concat()).await.unwrap(), client);
        assert_eq!(header(b"PROXY UNKNOWN\r\nGET /").await.unwrap(), None);
        let mut local = Vec::new();
        ProxyHeader::with_local().encode_v2(&mut local).unwrap();
        assert_eq!(header(&[&local, &b"GET /"[..]].concat()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let mut long = v2("198.51.100.7:4000");
        long[14] = 0xff;
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            b"PROXY TCP4 198.51.100.7 192.0.2.1 4000\r\nGET /",
            b"PROXY TCP4 198.51.100.7\r\n",
            b"PROXY ",
            &[b'P'; 200],
            &long,
        ] {
            assert!(header(bytes).await.is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_client_is_the_last_address_that_is_not_trusted() {
        let proxies: ProxySettings = toml::from_str("trusted = ['10.0.0.0/8']").unwrap();
        let of = |peer: &str, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(X_FORWARDED_FOR, value.parse().unwrap());
            }
            client(&proxies, format!("{peer}:1").parse().unwrap(), &headers)
                .map(|client| client.ip().to_string())
        };
        for (peer, values, expected) in [
            ("192.0.2.9", &["198.51.100.7"][..], Some("192.0.2.9")),
            ("10.0.0.1", &[], Some("10.0.0.1")),
            ("10.0.0.1", &["198.51.100.7"], Some("198.51.100.7")),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.7, 10.0.0.2"], Some("198.51.100.7")),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.7", "10.0.0.2"], Some("198.51.100.7")),
            ("10.0.0.1", &["garbage, 198.51.100.7:5000"], Some("198.51.100.7")),
            ("10.0.0.1", &["[2001:db8::1]:5000"], Some("2001:db8::1")),
            ("10.0.0.1", &["2001:db8::1"], Some("2001:db8::1")),
            ("10.0.0.1", &["198.51.100.7, unknown"], None),
            ("10.0.0.1", &["198.51.100.7,"], None),
            ("10.0.0.1", &["10.0.0.9, 10.0.0.2"], Some("10.0.0.9")),
        ] {
            assert_eq!(of(peer, values).as_deref(), expected, "{peer} {values:?}");
        }
    }
}
