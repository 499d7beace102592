//! The proxy of `jingku run`: on loopback, for the life of one command, for two hosts and the server itself.
//!
//! HTTP is spoken on both sides of a tunnel, so that a server behind a reverse proxy gets its own host and path.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
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
use jingku_library::{Clock, SystemClock};
use rustls::AlertDescription;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::authority::HOSTS;
use super::certificates::{Certificates, known_host};
use super::upstream::{ForwardError, Upstream};
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::note;

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 256;
/// The largest head of a request to the proxy or through it.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The longest time the head of a request to the proxy may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time between two requests in a tunnel, and for the head of one.
const SILENCE_MAX: Duration = Duration::from_mins(5);
/// The longest time to agree on TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The most refused hosts that `jingku run` reports.
const NOTES_MAX: usize = 20;
/// The only port that is allowed, with its colon.
const PORT: &str = ":443";
type Body = BoxBody<Bytes, reqwest::Error>;

struct Shared {
    upstream: Upstream,
    certificates: Certificates,
    trusted: PathBuf,
    noted: Mutex<HashSet<String>>,
}

/// Serves on a free port until the runtime ends. Returns the address.
pub(super) async fn start(
    upstream: Upstream,
    certificates: Certificates,
    trusted: PathBuf,
) -> Result<SocketAddr, Failure> {
    let failed =
        |error: io::Error| Failure::new(Exit::Fault, tr!("run-cannot-listen", error = error.to_string()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let shared = Arc::new(Shared { upstream, certificates, trusted, noted: Mutex::default() });
    tokio::spawn(accept(listener, shared));
    Ok(address)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::new(permit), Arc::clone(&shared)));
            }
            // Probably out of file descriptors; some will be freed.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Serves one connection. Its permit is held until it ends, including as a tunnel.
async fn serve(stream: TcpStream, permit: Arc<OwnedSemaphorePermit>, shared: Arc<Shared>) {
    // Requests are small and wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, Arc::clone(&permit), Arc::clone(&shared)));
    // An error on one connection affects no other.
    let _ = http(HEAD_TIMEOUT).serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// The HTTP settings on both sides of a tunnel.
fn http(head_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    // With half_close, a client that closes its sending side still gets its response.
    http.timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(true);
    http
}

#[derive(Clone, Copy)]
enum Target {
    /// To this host of the cloud: the server answers instead.
    Cloud(&'static str),
    Own,
}

/// Answers a request to the proxy. An error closes the connection.
async fn answer(
    request: Request<Incoming>,
    permit: Arc<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, ForwardError> {
    let Some(target) = shared.target(&request) else {
        return Ok(shared.refuse(&request));
    };
    if request.method() != Method::CONNECT {
        return forward(request, target, &shared).await;
    }
    tokio::spawn(async move {
        if let Ok(upgraded) = on(request).await {
            match target {
                Target::Cloud(host) => tunnel(upgraded, host, &shared).await,
                Target::Own => tunnel_to_server(upgraded, &shared).await,
            }
        }
        drop(permit);
    });
    Ok(Response::new(body(String::new())))
}

/// Terminates TLS under the requested name and forwards the requests inside.
async fn tunnel(upgraded: Upgraded, host: &'static str, shared: &Arc<Shared>) {
    let Some(config) = shared.certificates.config(host, SystemClock.now()) else { return };
    let handshake = TlsAcceptor::from(config).accept(TokioIo::new(upgraded));
    let stream = match timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            if is_distrust(&error) {
                shared.note_distrust(host);
            }
            return;
        }
        Err(_) => return,
    };
    let service = service_fn(|request| forward(request, Target::Cloud(host), shared));
    let _ = http(SILENCE_MAX).serve_connection(TokioIo::new(stream), service).await;
}

/// Copies bytes between a program and the server until one of them closes, whatever the protocol.
async fn tunnel_to_server(upgraded: Upgraded, shared: &Shared) {
    match shared.upstream.connect().await {
        Ok(mut server) => {
            let _ = server.set_nodelay(true);
            let _ = copy_bidirectional(&mut TokioIo::new(upgraded), &mut server).await;
        }
        Err(error) => drop(shared.note_unreached(&error.to_string())),
    }
}

/// Whether a program rejected the certificate. The alert depends on its TLS library; some just close the connection.
fn is_distrust(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    let Some(rustls::Error::AlertReceived(alert)) = error else { return false };
    matches!(
        alert,
        AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::AccessDenied
    )
}

async fn forward(
    request: Request<Incoming>,
    target: Target,
    shared: &Shared,
) -> Result<Response<Body>, ForwardError> {
    let url = match target {
        Target::Cloud(_) => shared.upstream.url(request.uri()),
        Target::Own => shared.upstream.own_url(request.uri()),
    };
    match shared.upstream.send(request, url).await {
        Ok(response) => Ok(response.map(BodyExt::boxed)),
        Err(ForwardError::NotReached(error)) => {
            Ok(text(StatusCode::BAD_GATEWAY, shared.note_unreached(&error)))
        }
        // The program sees the same as without a proxy.
        Err(error @ ForwardError::BrokenOff) => Err(error),
    }
}

impl Shared {
    fn refuse(&self, request: &Request<Incoming>) -> Response<Body> {
        let uri = request.uri();
        // Without user information, which may contain a password.
        let place = uri.authority().map_or(uri.path(), |authority| {
            authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, place)| place)
        });
        let [first, second] = HOSTS;
        let (hosts, own) = (tr!("run-hosts", first, second), self.upstream.origin());
        let message = match request.method() {
            &Method::CONNECT => tr!("run-refused-tunnel", place, hosts, own),
            method => tr!("run-refused-request", method = method.as_str(), place, hosts, own),
        };
        self.note_once(place, &message);
        text(StatusCode::FORBIDDEN, message)
    }

    /// Where a request goes, if it is allowed: to one of [`HOSTS`] through a tunnel to its port, or through a plain
    /// request for an `https` address (older versions of axios, and thus the JavaScript SDK, do not use tunnels); or to
    /// the server itself, either way.
    fn target(&self, request: &Request<Incoming>) -> Option<Target> {
        let (uri, authority) = (request.uri(), request.uri().authority()?);
        let host = authority.host();
        // User information before an @ is not part of the host.
        let port = authority.as_str().strip_prefix(host)?;
        let is_tunnel = request.method() == Method::CONNECT;
        let open = if is_tunnel {
            port == PORT
        } else {
            uri.scheme() == Some(&Scheme::HTTPS) && (port.is_empty() || port == PORT)
        };
        if let (true, Some(host)) = (open, known_host(host)) {
            return Some(Target::Cloud(host));
        }
        let port = authority.port_u16().or_else(|| match uri.scheme_str()? {
            "https" => Some(443),
            _ => Some(80),
        })?;
        let same_scheme = is_tunnel || uri.scheme_str() == Some(self.upstream.scheme());
        (same_scheme && self.upstream.is_own(host, port)).then_some(Target::Own)
    }

    /// Reports that a program does not trust the certificate, and what to do.
    fn note_distrust(&self, host: &str) {
        let message = tr!("run-distrust", host, path = self.trusted);
        self.note_once(&format!("certificate of {host}"), &message);
    }

    /// Reports that the server cannot be reached, and returns the message.
    fn note_unreached(&self, error: &str) -> String {
        let message = tr!("run-no-answer", error);
        self.note_once("", &message);
        message
    }

    /// Writes a note, once for each subject.
    fn note_once(&self, subject: &str, message: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < NOTES_MAX && noted.insert(subject.to_owned()) {
            note(message);
        }
    }
}

fn text(status: StatusCode, message: String) -> Response<Body> {
    let mut response = Response::new(body(message + "\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn body(text: String) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed()
}
