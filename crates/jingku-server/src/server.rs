//! The listener: accepts connections, routes requests, shuts down gracefully.

mod connection;
mod connections;
mod exchange;
mod framing;
mod health;
mod http;
mod proxied;
mod scrape;
mod stream;
mod tls;
mod unsent;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, head};
use futures::future::{BoxFuture, Either};
use hyper_util::service::TowerToHyperService;
use jingku_library::{Config, ConnectionLimits, ProxySettings};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::Context;
use crate::cover;
use crate::download;
use crate::gateway;
use crate::lab;
use crate::limits::{HANDSHAKE_TIMEOUT, STALL_TIMEOUT, STOP_TIMEOUT};
use crate::metrics::ConnectionMetrics;
use crate::registry;
use crate::upload;
use connections::{ConnectionGuard, Connections};
use exchange::Exchanges;
use health::{HEALTH, READINESS, ready};
use http::Http;
use scrape::METRICS;
pub use scrape::check_token;
use stream::ClientStream;
pub use tls::{Tls, TlsError};

const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The routes: health checks, covers, links, the lab. The API takes every other path, as clients use any.
pub fn router(context: Arc<Context>) -> Router {
    let mut router = Router::new();
    // Some health checkers append a slash. It must not reach the API, which answers everything with 200.
    for slash in ["", "/"] {
        router = router
            .route(&format!("{HEALTH}{slash}"), get(async || "ok\n"))
            .route(&format!("{READINESS}{slash}"), get(ready));
    }
    let mut api = any(gateway::handle);
    if let Some(lab) = &context.lab {
        api = api.layer(from_fn_with_state(Arc::clone(lab), lab::layer));
    }
    let mut router = router
        .route("/covers/{id}", get(cover::serve).fallback(api.clone()))
        .route("/images/{id}/disk", get(download::serve).fallback(api.clone()))
        .route("/v2/token", get(registry::token).fallback(registry::serve))
        .route("/v2", any(registry::serve))
        .route("/v2/", any(registry::serve))
        .route("/v2/{*path}", any(registry::serve))
        .route("/uploads/{id}", head(upload::serve).patch(upload::serve).post(upload::serve));
    if context.library.config.metrics.is_some() {
        router = router.route(METRICS, get(scrape::serve).fallback(api.clone()));
    }
    if let Some(lab) = &context.lab {
        router = router.route("/_lab/{*call}", any(lab::control).with_state(Arc::clone(lab)));
    }
    router.fallback(api).with_state(context)
}

/// How a server accepts connections.
#[derive(Default)]
pub struct Edge {
    /// Limits of connections.
    pub connections: ConnectionLimits,
    /// Plain HTTP without it.
    pub tls: Option<Arc<Tls>>,
    /// The proxies that may name the client's address.
    pub proxies: ProxySettings,
    /// What counts the connections.
    pub metrics: ConnectionMetrics,
}

impl Edge {
    /// Reads the certificate that the configuration names.
    pub fn open(config: &Config) -> Result<Self, TlsError> {
        let tls = config.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
        Ok(Self { connections: config.connections, tls, proxies: config.proxies.clone(), ..Self::default() })
    }
}

/// Serves plain HTTP with default limits until `shutdown` completes, then waits for running requests.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    serve_with(listener, router, Edge::default(), Box::pin(shutdown)).await;
}

/// Like [`serve`], with settings. Boxed, so that no other crate compiles the server again.
pub fn serve_with(
    listener: TcpListener,
    router: Router,
    edge: Edge,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    Box::pin(accept(listener, router, edge, shutdown))
}

async fn accept(listener: TcpListener, router: Router, edge: Edge, mut shutdown: BoxFuture<'static, ()>) {
    let stop = CancellationToken::new();
    let reload =
        edge.tls.as_ref().map(|tls| stop.child_token().run_until_cancelled_owned(Arc::clone(tls).reload()));
    let reload = reload.map(tokio::spawn);
    let server = Arc::new(Server {
        router: TowerToHyperService::new(router),
        connections: Connections::new(edge.connections, edge.metrics),
        tls: edge.tls,
        proxies: Arc::new(edge.proxies),
        http: Http::new(),
        stop,
    });
    let tracker = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // A client that disconnects is not an error.
            Ok((stream, peer)) => drop(tracker.spawn(Arc::clone(&server).start(stream, peer))),
            Err(error) => server.recover(&error).await,
        }
    }
    drop(listener);
    server.stop.cancel();
    tracker.close();
    if tokio::time::timeout(STOP_TIMEOUT, tracker.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    drop(reload);
}

struct Server {
    router: TowerToHyperService<Router>,
    connections: Arc<Connections>,
    tls: Option<Arc<Tls>>,
    proxies: Arc<ProxySettings>,
    http: Http,
    /// Cancelled when the server stops.
    stop: CancellationToken,
}

impl Server {
    /// Serves a connection to its end.
    fn start(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + use<> {
        // At once, so that connections are limited before their tasks run.
        let guard = self.connections.admit(peer.ip(), self.proxies.trusts(peer.ip()));
        async move {
            // A reply is one write: waiting to fill a packet only delays it.
            let _ = stream.set_nodelay(true);
            let connection = Arc::clone(&guard.0);
            let evicted = std::future::poll_fn(|context| connection.poll_evicted(context));
            let prepared = tokio::select! {
                prepared = timeout(HANDSHAKE_TIMEOUT, self.prepare(stream, peer, guard)) => prepared,
                () = evicted => return,
                () = self.stop.cancelled() => return,
            };
            match prepared {
                Ok(Ok(client)) => self.serve(client).await,
                failed => {
                    self.connections.metrics.failed_handshakes.inc();
                    let error = failed.map_or_else(
                        |_| "it takes too long".to_owned(),
                        |failed| match failed {
                            Ok(_) => String::new(),
                            Err(error) => error.to_string(),
                        },
                    );
                    tracing::debug!(%peer, error, "the handshake failed");
                }
            }
        }
    }

    /// Reads what precedes HTTP: the header of a proxy, then the TLS handshake.
    async fn prepare(
        &self,
        mut stream: TcpStream,
        mut peer: SocketAddr,
        mut guard: ConnectionGuard,
    ) -> io::Result<Client> {
        if proxied::expects_header(&self.proxies, peer.ip())
            && let Some(client) = proxied::read_header(&mut stream).await?
        {
            peer = client;
            drop(guard);
            guard = self.connections.admit(peer.ip(), false);
        }
        let Some(tls) = &self.tls else {
            return Ok(Client { stream: Either::Left(stream), is_h2: false, peer, guard });
        };
        let (stream, is_h2) = tls.accept(stream).await?;
        Ok(Client { stream: Either::Right(Box::new(stream)), is_h2, peer, guard })
    }

    async fn serve(&self, client: Client) {
        let Client { stream, is_h2, peer, guard } = client;
        let exchanges = Arc::new(Exchanges {
            router: self.router.clone(),
            connections: Arc::clone(&self.connections),
            connection: Arc::clone(&guard.0),
            proxies: Arc::clone(&self.proxies),
            peer,
        });
        match stream {
            Either::Left(stream) => {
                let stream = ClientStream::new(stream, is_h2, guard, STALL_TIMEOUT);
                self.http.serve(stream, is_h2, exchanges, &self.stop).await;
            }
            Either::Right(stream) => {
                let stream = ClientStream::new(stream, is_h2, guard, STALL_TIMEOUT);
                // Boxed, so that a plain connection does not need the memory of this one.
                Box::pin(self.http.serve(stream, is_h2, exchanges, &self.stop)).await;
            }
        }
    }

    async fn recover(&self, error: &io::Error) {
        // These concern one connection only.
        if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) {
            return;
        }
        // Most likely the process is out of file descriptors.
        let evicted = self.connections.evict_idle();
        tracing::warn!(%error, evicted, "cannot accept a connection");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// A client that is about to speak HTTP.
struct Client {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    is_h2: bool,
    peer: SocketAddr,
    guard: ConnectionGuard,
}
