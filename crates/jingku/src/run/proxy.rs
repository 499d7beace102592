//! The proxy of `jingku run`: on loopback, for the life of one command, open to two names and to nothing else.
//!
//! HTTP is spoken on both sides of a tunnel, so that a server behind a reverse proxy gets its own name and folder.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::uri::Scheme;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{Upgraded, on};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jingku_service::{Clock, SystemClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::authority::HOSTS;
use super::certificates::{Certificates, known_host};
use super::upstream::Upstream;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::note;

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 256;
/// The largest head of a request to the proxy or through it.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The longest time the head of a request to the proxy may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same inside a tunnel, and the longest silence between two requests there.
const SILENCE_MAX: Duration = Duration::from_mins(5);
/// The longest time to agree on TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Hosts that are told to be refused; a program that tries more has been understood.
const NOTES_MAX: usize = 20;
/// The only port that is let through, as it follows a host.
const PORT: &str = ":443";
type Body = BoxBody<Bytes, reqwest::Error>;

/// What every connection shares.
struct Shared {
    upstream: Upstream,
    certificates: Certificates,
    noted: Mutex<HashSet<String>>,
}

/// A running proxy; its connections end when the runtime does.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
}

impl Proxy {
    /// Takes a free port and serves.
    pub(super) async fn start(upstream: Upstream, certificates: Certificates) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            let message = tr(
                format!("Cannot listen on a port of this machine: {error}."),
                format!("无法在本机端口上监听：{error}。"),
            );
            Failure::new(Exit::Fault, message)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared { upstream, certificates, noted: Mutex::default() });
        tokio::spawn(accept(listener, shared));
        Ok(Self { address })
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::new(place), Arc::clone(&shared)));
            }
            // Most likely there are no more file descriptors; some will be free again.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Serves one connection. Its place is taken until it ends, as a tunnel too.
async fn serve(stream: TcpStream, place: Arc<OwnedSemaphorePermit>, shared: Arc<Shared>) {
    // Requests are small, and each waits for the answer to the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, Arc::clone(&place), Arc::clone(&shared)));
    // A client that breaks off is no concern of anybody else.
    let _ = http(HEAD_TIMEOUT).serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// HTTP as it is spoken on both sides of a tunnel.
fn http(head_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(HEAD_BYTES_MAX);
    // A client that has said all it wants to say still gets its answer.
    http.half_close(true);
    http
}

/// Answers what is asked of the proxy itself.
async fn answer(
    request: Request<Incoming>,
    place: Arc<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let Some(host) = allowed(&request) else {
        return Ok(shared.refuse(&request));
    };
    if request.method() != Method::CONNECT {
        return forward(request, &shared).await;
    }
    tokio::spawn(async move {
        if let Ok(upgraded) = on(request).await {
            tunnel(upgraded, host, &shared).await;
        }
        drop(place);
    });
    Ok(Response::new(body(String::new())))
}

/// Ends TLS under the name that was asked for and sends on what is inside.
async fn tunnel(upgraded: Upgraded, host: &'static str, shared: &Arc<Shared>) {
    let Some(config) = shared.certificates.config(host, SystemClock.now()) else { return };
    let handshake = TlsAcceptor::from(config).accept(TokioIo::new(upgraded));
    // It fails when the program does not trust the authority: the program says so itself.
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, handshake).await else { return };
    let service = service_fn(|request| forward(request, shared));
    let _ = http(SILENCE_MAX).serve_connection(TokioIo::new(stream), service).await;
}

async fn forward(request: Request<Incoming>, shared: &Shared) -> Result<Response<Body>, Infallible> {
    Ok(match shared.upstream.forward(request).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => {
            let message = tr(
                format!("jingku: the server did not answer: {error}."),
                format!("jingku：服务没有应答：{error}。"),
            );
            shared.note_once("", &message);
            text(StatusCode::BAD_GATEWAY, message)
        }
    })
}

impl Shared {
    fn refuse(&self, request: &Request<Incoming>) -> Response<Body> {
        let uri = request.uri();
        // Without what may stand before an @: that can be a password.
        let place = uri.authority().map_or(uri.path(), |authority| {
            authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, place)| place)
        });
        let what = match request.method() {
            &Method::CONNECT => tr(format!("to connect to {place}"), format!("连接 {place}")),
            method => tr(format!("{method} to {place}"), format!("对 {place} 的 {method} 请求")),
        };
        let hosts = HOSTS.join(tr(" and ", " 和 "));
        let message = tr(
            format!("jingku: refused {what}: only HTTPS to {hosts} is let through."),
            format!("jingku：拒绝{what}：只放行到 {hosts} 的 HTTPS。"),
        );
        self.note_once(place, &message);
        text(StatusCode::FORBIDDEN, message)
    }

    /// Tells people, once about each subject.
    fn note_once(&self, subject: &str, message: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < NOTES_MAX && noted.insert(subject.to_owned()) {
            note(message);
        }
    }
}

/// The host that is asked for, if it is one that is let through: by a tunnel to its port, or by a request that names
/// an `https` address in clear. Older versions of axios, and with them the SDK for JavaScript, know no tunnels and send that.
fn allowed(request: &Request<Incoming>) -> Option<&'static str> {
    let (uri, authority) = (request.uri(), request.uri().authority()?);
    // What stands before an @ is not the host.
    let port = authority.as_str().strip_prefix(authority.host())?;
    let open = if request.method() == Method::CONNECT {
        port == PORT
    } else {
        uri.scheme() == Some(&Scheme::HTTPS) && (port.is_empty() || port == PORT)
    };
    if open { known_host(authority.host()) } else { None }
}

/// A line for people.
fn text(status: StatusCode, message: String) -> Response<Body> {
    let mut response = Response::new(body(message + "\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn body(text: String) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed()
}
