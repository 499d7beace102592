//! Passes a request on to the server that has the file of an upload: a balancer may choose any server.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use jingku_catalog::Upload;
use jingku_library::Internal;

use crate::context::Context;
use crate::error::Error;

/// Marks a request that was passed on, so that it is not passed on again.
const PASSED_ON: HeaderName = HeaderName::from_static("jingku-passed-on");
/// Headers of one connection.
const OF_CONNECTION: [HeaderName; 5] =
    [header::CONNECTION, header::HOST, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];
/// How long the other server may take to accept a connection.
const PEER_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Passes a request on and returns the answer. The link, which the other server verifies, is its only authorization.
pub(super) async fn pass_on(context: &Context, upload: &Upload, request: Request) -> Result<Response, Error> {
    let away = || Error::HostAway { image_id: upload.image_id.clone(), host: upload.host.clone() };
    if request.headers().contains_key(PASSED_ON) {
        return Err(away());
    }
    let address = context.library.catalog.host_address(&upload.host).await?.ok_or_else(away)?;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    for name in OF_CONNECTION {
        headers.remove(name);
    }
    headers.insert(PASSED_ON, HeaderValue::from_static("1"));
    let mut passed =
        client(context)?.request(parts.method.clone(), format!("{address}{path}")).headers(headers);
    if parts.method == Method::PATCH {
        passed = passed.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    let answered = passed.send().await.map_err(|error| {
        let error = &error.without_url() as &dyn std::error::Error;
        tracing::warn!(host = upload.host, error, "cannot pass on a request");
        away()
    })?;
    let (status, mut headers) = (answered.status(), answered.headers().clone());
    for name in OF_CONNECTION {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from_stream(answered.bytes_stream()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

/// The client for other servers, created for the first request.
fn client(context: &Context) -> Result<&reqwest::Client, Error> {
    if let Some(client) = context.peers.get() {
        return Ok(client);
    }
    let builder = || {
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        builder.connect_timeout(PEER_CONNECT_TIMEOUT)
    };
    // A slim container has no certificates of authorities, and needs none for plain HTTP.
    let built = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    let built = built.map_err(|error| Internal::BadRow(format!("no client for other servers: {error}")))?;
    Ok(context.peers.get_or_init(|| built))
}
