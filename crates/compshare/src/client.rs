use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use jingku_protocol::actions::{Action, Request};
use jingku_protocol::{Params, Value, sign_request};
use reqwest::header::{CONTENT_TYPE, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, RequestBuilder, Url, redirect};
use secrecy::ExposeSecret;

use crate::config::Config;
use crate::error::{Error, root};
use crate::exchange::Exchange;
use crate::retry;

/// A client of one endpoint as one account. Cloning is cheap; clones share their connections.
///
/// Replies may be up to [`MAX_REPLY_BYTES`](crate::MAX_REPLY_BYTES) large. The usual proxy variables of the environment
/// count, except for a server on this machine. Redirects are not followed: a signed request goes only to the server it
/// was meant for.
#[derive(Clone)]
pub struct Client {
    pub(crate) config: Arc<Config>,
    base_url: Url,
    http: reqwest::Client,
}

/// Segments of the path of a link to an image's disk: `/images/<id>/disk`.
const DOWNLOAD_SEGMENTS: usize = 3;
/// Segments of the path of a link to upload to: `/uploads/<id>`.
const UPLOAD_SEGMENTS: usize = 2;

impl Client {
    /// Sets up a client; nothing is sent yet.
    pub fn new(config: Config) -> Result<Self, Error> {
        let unusable = |reason: &dyn fmt::Display| {
            Error::Config(format!("the base URL {:?} cannot be used: {reason}", config.base_url))
        };
        let base_url: Url = config.base_url.parse().map_err(|error| unusable(&error))?;
        if !matches!(base_url.scheme(), "http" | "https") {
            return Err(unusable(&"it must start with http:// or https://"));
        }
        if base_url.query().is_some() {
            return Err(unusable(&"a query in it would not be signed"));
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("compshare-rust/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .redirect(redirect::Policy::none());
        if base_url.scheme() == "http" {
            // Loading the system's certificates takes time, and fails in a slim container that has none.
            http = http.tls_certs_only([]);
        }
        if is_this_machine(&base_url) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Error::Config(root(&error)))?;
        Ok(Self { config: Arc::new(config), base_url, http })
    }

    /// Calls any action.
    ///
    /// A call that [is safe to repeat](crate::actions::Action::repeat) is sent again after a network error, HTTP status
    /// 429, 502, 503 or 504, and a return code of [`Class::AskAgainLater`](crate::Class::AskAgainLater); any other
    /// only when no connection could be made. The pauses between attempts grow from about 0.2 s. Retries end
    /// after [`Config::max_retries`] retries or [`Config::timeout`].
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        let form = Bytes::from(self.signed(request.params()).to_form());
        retry::run(&self.config, R::ACTION, || async {
            let post = self.http.post(self.base_url.clone());
            let post = post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
            Exchange::open(R::ACTION, post).await?.into_reply().await
        })
        .await
    }

    /// Opens a call whose answer may be a file, as GET: the same URL works in a download tool.
    pub(crate) async fn open<R: Request>(&self, request: &R) -> Result<Exchange, Error> {
        let mut url = self.base_url.clone();
        url.set_query(Some(&self.signed(request.params()).to_form()));
        Exchange::open(R::ACTION, self.http.get(url)).await
    }

    /// Opens a link that a call answered, from a byte on if the file still has this tag.
    pub(crate) async fn open_link(
        &self,
        link: &str,
        from: u64,
        etag: &HeaderValue,
    ) -> Result<Exchange, Error> {
        let get = self.http.get(self.at_base(link, DOWNLOAD_SEGMENTS));
        let get = get.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, etag);
        Exchange::open(Action::GetCompShareCustomImageUrl, get).await
    }

    /// Begins a request to a link that a call answered, to which a file is uploaded.
    pub(crate) fn to_upload(&self, method: Method, link: &str) -> RequestBuilder {
        self.http.request(method, self.at_base(link, UPLOAD_SEGMENTS))
    }

    /// The address of a link under the base URL, because that is known to reach the server, while the link has the address
    /// from the server's configuration. The link ends with so many segments of the server's own.
    fn at_base(&self, link: &str, segments: usize) -> String {
        let path = &link[..link.find(['?', '#']).unwrap_or(link.len())];
        let own = path.rmatch_indices('/').nth(segments - 1).map_or("", |(at, _)| &link[at..]);
        format!("{}{own}", self.base_url.as_str().trim_end_matches('/'))
    }

    fn signed(&self, mut params: Params) -> Params {
        fill_defaults(&mut params, &self.config);
        sign_request(params, &self.config.public_key, self.config.private_key.expose_secret())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Sets what the request leaves open. The default zone is in the default region: a request for another region has no
/// default zone.
fn fill_defaults(params: &mut Params, config: &Config) {
    fill(params, "Region", config.region.as_deref());
    let region = params.get_text("Region").unwrap_or_default();
    if region == config.region.as_deref().unwrap_or_default() {
        fill(params, "Zone", config.zone.as_deref());
    }
    fill(params, "ProjectId", config.project_id.as_deref());
}

fn fill(params: &mut Params, name: &str, default: Option<&str>) {
    if let Some(default) = default
        && params.get_text(name).is_none_or(str::is_empty)
    {
        params.set(name, Value::Text(default.to_owned()));
    }
}

/// Tells whether a URL points to this machine, as Go's HTTP client does before it reads the proxy variables.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(region: Option<&str>, zone: Option<&str>) -> Config {
        let mut config = Config::new("public", "private");
        (config.region, config.zone) = (region.map(str::to_owned), zone.map(str::to_owned));
        config
    }

    #[test]
    fn defaults_fill_open_parameters() {
        let both = config(Some("r"), Some("z"));
        let filled = |mut params: Params, config: &Config| {
            fill_defaults(&mut params, config);
            (params.get_text("Region").map(str::to_owned), params.get_text("Zone").map(str::to_owned))
        };
        let place = |region: Option<&str>, zone: Option<&str>| {
            Params::default().text("Region", region).text("Zone", zone)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(filled(place(None, None), &both), (some("r"), some("z")));
        assert_eq!(filled(place(Some(""), Some("")), &both), (some("r"), some("z")));
        assert_eq!(filled(place(Some("r"), None), &both), (some("r"), some("z")));
        assert_eq!(filled(place(Some("r"), Some("y")), &both), (some("r"), some("y")));
        assert_eq!(filled(place(Some("q"), None), &both), (some("q"), None));
        assert_eq!(filled(place(None, None), &config(None, None)), (None, None));
        assert_eq!(filled(place(None, None), &config(None, Some("z"))), (None, some("z")));
        assert_eq!(filled(place(Some("r"), None), &config(None, Some("z"))), (some("r"), None));
    }

    #[test]
    fn a_link_is_found_after_any_prefix() {
        let mut config = Config::new("public", "private");
        config.base_url = "http://127.0.0.1:8480/jingku/".to_owned();
        let client = Client::new(config).unwrap();
        let query = "?account=1&expires=2&signature=/images/x/uploads/y";
        for before in [
            "",
            "/",
            "https://images.example.com",
            "https://example.com/images",
            "https://example.com/uploads",
            "https://example.com/covers",
            "https://example.com/images/x/disk",
            "https://example.com/uploads/x",
            "https://uploads/images/uploads",
            "http://[::1]:80/images/uploads/images",
        ] {
            let upload = client.at_base(&format!("{before}/uploads/image-1{query}"), UPLOAD_SEGMENTS);
            assert_eq!(upload, format!("http://127.0.0.1:8480/jingku/uploads/image-1{query}"), "{before}");
            let disk = client.at_base(&format!("{before}/images/image-1/disk{query}"), DOWNLOAD_SEGMENTS);
            assert_eq!(disk, format!("http://127.0.0.1:8480/jingku/images/image-1/disk{query}"), "{before}");
        }
        for nonsense in ["", "x", "?", "x?/uploads/image-1"] {
            assert_eq!(client.at_base(nonsense, UPLOAD_SEGMENTS), "http://127.0.0.1:8480/jingku");
        }
    }

    #[test]
    fn urls_of_this_machine_are_recognized() {
        let here = |url: &str| is_this_machine(&url.parse().unwrap());
        for url in ["http://127.0.0.1:8080", "http://[::1]:8080/x", "http://localhost"] {
            assert!(here(url), "{url}");
        }
        for url in ["https://api.compshare.cn", "http://127.0.0.1.example", "http://10.0.0.1"] {
            assert!(!here(url), "{url}");
        }
    }

    #[test]
    fn a_base_url_that_cannot_work_is_refused() {
        for url in ["", "api.compshare.cn", "ftp://api.compshare.cn", "http://", "http://a/?b=c"] {
            let mut config = Config::new("public", "private");
            url.clone_into(&mut config.base_url);
            assert!(matches!(Client::new(config), Err(Error::Config(_))), "{url:?}");
        }
    }
}
