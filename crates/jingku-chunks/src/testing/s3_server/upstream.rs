//! Another S3 server, to which requests are forwarded as they were signed.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector, HttpRequestBody, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::Signer;

pub(super) const ACCESS_KEY: &str = "jingku";
pub(super) const SECRET_KEY: &str = "jingku-secret";

#[derive(Clone)]
pub(super) struct Upstream {
    client: HttpClient,
    endpoint: String,
}

impl Upstream {
    /// The server of the variable `JINGKU_TEST_S3`, such as `http://127.0.0.1:7480`, which accepts the key pair of tests.
    pub(super) fn from_env() -> io::Result<Option<Self>> {
        let Ok(endpoint) = std::env::var("JINGKU_TEST_S3") else { return Ok(None) };
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true));
        Ok(Some(Self { client: client.map_err(io::Error::other)?, endpoint }))
    }

    /// Returns what makes the names of buckets unique: all tests use one server.
    pub(super) fn suffix() -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) async fn create_bucket(&self, name: &str) -> io::Result<()> {
        let builder = AmazonS3Builder::new().with_endpoint(&self.endpoint).with_allow_http(true);
        let builder = builder.with_access_key_id(ACCESS_KEY).with_secret_access_key(SECRET_KEY);
        let s3 = builder.with_bucket_name(name).build().map_err(io::Error::other)?;
        let url = s3.signed_url(Method::PUT, &Path::default(), Duration::from_mins(1)).await;
        let request = Request::put(url.map_err(io::Error::other)?.as_str()).body(HttpRequestBody::empty());
        let answer = self.client.execute(request.map_err(io::Error::other)?).await;
        let status = answer.map_err(io::Error::other)?.status();
        if status.is_success() { Ok(()) } else { Err(io::Error::other(format!("{name}: {status}"))) }
    }

    pub(super) async fn forward(&self, request: Request<Incoming>) -> Option<Response<s3s::Body>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        parts.uri = format!("{}{}", self.endpoint, parts.uri.path_and_query()?).parse().ok()?;
        let answer = self.client.execute(Request::from_parts(parts, HttpRequestBody::from(body))).await;
        let (mut parts, body) = answer.ok()?.into_parts();
        parts.headers.remove(header::TRANSFER_ENCODING);
        parts.headers.remove(header::CONNECTION);
        Some(Response::from_parts(parts, s3s::Body::from(body.bytes().await.ok()?)))
    }
}
