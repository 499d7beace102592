//! The server that intercepted requests go to.

use std::net::IpAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, Uri};
use reqwest::{Body, Client, Url, redirect};

use crate::failure::{Exit, Failure};
use crate::lang::tr;

/// The longest time to connect to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the first look at the server may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// What one connection is told about another; the rest of a head belongs to the request.
const HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// A base URL and the means to reach it: the same as those of the other client commands.
pub(super) struct Upstream {
    base_url: Url,
    http: Client,
}

impl Upstream {
    /// Nothing is sent yet.
    pub(super) fn new(base_url: &str) -> Result<Self, Failure> {
        let unusable = |reason: &dyn std::fmt::Display| {
            let message = tr(
                format!("The base URL {base_url:?} cannot be used: {reason}."),
                format!("无法使用 API 地址 {base_url:?}：{reason}。"),
            );
            Failure::new(Exit::Usage, message)
        };
        let url: Url = base_url.parse().map_err(|error| unusable(&error))?;
        let mut http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            // A request whose body has been passed on cannot be sent again, should a kept connection be gone.
            .pool_max_idle_per_host(0);
        if url.scheme() == "http" {
            http = http.tls_certs_only([]);
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| unusable(&root(&error)))?;
        Ok(Self { base_url: url, http })
    }

    /// Makes sure that somebody answers, whatever the answer is.
    pub(super) async fn probe(&self) -> Result<(), Failure> {
        let probe = self.http.get(self.url(&Uri::from_static("/healthz"))).timeout(PROBE_TIMEOUT);
        probe.send().await.map(|_| ()).map_err(|error| {
            let error = root(&error);
            Failure::unreachable(tr(format!("Cannot connect: {error}."), format!("无法连接：{error}。")))
        })
    }

    /// Sends a request on and answers as the server does. The error is a sentence's end.
    pub(super) async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, String> {
        let (head, body) = request.into_parts();
        let mut headers = end_to_end(head.headers);
        // It names the cloud; a server behind a reverse proxy is found by its own name.
        headers.remove(HOST);
        let url = self.url(&head.uri);
        let sent = self.http.request(head.method, url).headers(headers).body(Body::wrap(body)).send().await;
        let (mut head, body) = Response::from(sent.map_err(|error| root(&error))?).into_parts();
        head.headers = end_to_end(head.headers);
        Ok(Response::from_parts(head, body))
    }

    /// Where a request for this path and query goes.
    fn url(&self, target: &Uri) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{}", self.base_url.path().trim_end_matches('/'), target.path()));
        url.set_query(target.query());
        url
    }
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

/// What went wrong in the end: the outer errors only say that something did.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
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
