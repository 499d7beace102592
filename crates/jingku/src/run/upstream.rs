//! The server that requests are forwarded to.

use std::net::IpAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, Uri};
use reqwest::{Body, Client, Url, redirect};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::errors::root;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::wrong_scheme;

/// The longest time to connect to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the first look at the server may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Headers of one connection; the others belong to the request.
const HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// A base URL and an HTTP client, configured like that of the other client commands.
pub(super) struct Upstream {
    base_url: Url,
    http: Client,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForwardError {
    /// No connection. The text is the end of a sentence.
    #[error("{0}")]
    NotReached(String),
    /// The server closed the connection without a response, as after `jingku lab drop`.
    #[error("the server closed the connection")]
    BrokenOff,
}

impl Upstream {
    pub(super) fn new(base_url: &str) -> Result<Self, Failure> {
        let unusable = |error: String| {
            let message = tr!("connection-url-invalid", url = format!("{base_url:?}"), error);
            Failure::new(Exit::Usage, message)
        };
        let url = Url::parse(base_url).map_err(|error| unusable(error.to_string()))?;
        let mut http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            // A forwarded body cannot be sent again if a kept connection was closed.
            .pool_max_idle_per_host(0);
        if url.scheme() == "http" {
            http = http.tls_certs_only([]);
        }
        if is_loopback(url.host_str().unwrap_or_default()) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| unusable(root(&error)))?;
        Ok(Self { base_url: url, http })
    }

    /// Checks that a server answers, whatever the response.
    pub(super) async fn probe(&self) -> Result<(), Failure> {
        let probe = self.http.get(self.url(&Uri::from_static("/healthz"))).timeout(PROBE_TIMEOUT);
        let Err(error) = probe.send().await else { return Ok(()) };
        let message = tr!("run-cannot-connect", error = root(&error));
        Err(match wrong_scheme::advice(&error) {
            Some(advice) => Failure::new(Exit::Usage, message).advise(&advice),
            None => Failure { unreachable: true, ..Failure::new(Exit::TryAgain, message) },
        })
    }

    pub(super) fn url(&self, target: &Uri) -> Url {
        let mut url = self.own_url(target);
        url.set_path(&format!("{}{}", self.base_url.path().trim_end_matches('/'), target.path()));
        url
    }

    pub(super) fn own_url(&self, target: &Uri) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(target.path());
        url.set_query(target.query());
        url
    }

    /// Whether a host and port are the server's. Loopback has several names.
    pub(super) fn is_own(&self, host: &str, port: u16) -> bool {
        let own = self.base_url.host_str().unwrap_or_default();
        let same = own.eq_ignore_ascii_case(host) || (is_loopback(own) && is_loopback(host));
        same && self.base_url.port_or_known_default() == Some(port)
    }

    /// The origin of the server, without a path.
    pub(super) fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    pub(super) fn scheme(&self) -> &str {
        self.base_url.scheme()
    }

    /// Connects to the server, for a tunnel of any protocol.
    pub(super) async fn connect(&self) -> std::io::Result<TcpStream> {
        let host = self.base_url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.base_url.port_or_known_default().unwrap_or_default();
        timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await?
    }

    /// Forwards a request to a URL of the server, and returns the response.
    pub(super) async fn send(
        &self,
        request: Request<Incoming>,
        url: Url,
    ) -> Result<Response<Body>, ForwardError> {
        let (head, body) = request.into_parts();
        let mut headers = end_to_end(head.headers);
        // It names the cloud; a server behind a reverse proxy needs its own name.
        headers.remove(HOST);
        let sent = self.http.request(head.method, url).headers(headers).body(Body::wrap(body)).send().await;
        let sent = sent.map_err(|error| {
            if error.is_connect() { ForwardError::NotReached(root(&error)) } else { ForwardError::BrokenOff }
        })?;
        let (mut head, body) = Response::from(sent).into_parts();
        head.headers = end_to_end(head.headers);
        Ok(Response::from_parts(head, body))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_base_url_is_kept() {
        let url =
            |base: &str, target: &str| Upstream::new(base).unwrap().url(&target.parse().unwrap()).to_string();
        assert_eq!(url("http://h:1", "/"), "http://h:1/");
        assert_eq!(url("http://h:1/", "/?Action=GetRegion&A=%2B"), "http://h:1/?Action=GetRegion&A=%2B");
        assert_eq!(url("http://h:1/images", "/"), "http://h:1/images/");
        assert_eq!(url("http://h:1/images/", "/x"), "http://h:1/images/x");
    }

    #[test]
    fn the_server_is_known_by_its_names() {
        let own = |base: &str, host: &str, port: u16| Upstream::new(base).unwrap().is_own(host, port);
        for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
            assert!(own("http://127.0.0.1:8480/images", host, 8480), "{host}");
            assert!(!own("http://127.0.0.1:8480", host, 8481), "{host}");
            assert!(!own("http://images.example.com", host, 80), "{host}");
        }
        assert!(own("https://images.example.com", "Images.example.com", 443));
        assert!(!own("https://images.example.com", "images.example.com", 80));
        assert!(!own("http://127.0.0.1:8480", "example.com", 8480));
    }

    #[test]
    fn what_is_between_two_connections_stays_there() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close"), ("proxy-connection", "keep-alive"), ("content-length", "3")]
        {
            headers.insert(name, value.parse().unwrap());
        }
        let left = end_to_end(headers);
        assert_eq!(left.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["content-length"]);
    }
}
