//! The listener: accepts connections, routes requests, shuts down gracefully.

mod connection;
mod connections;
mod exchange;
mod framing;
mod health;
mod stream;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, head};
use futures::FutureExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use jingku_library::ConnectionLimits;
use tokio::net::{TcpListener, TcpStream};

use crate::context::Context;
use crate::cover;
use crate::download;
use crate::gateway;
use crate::lab;
use crate::limits::{HEADER_READ_TIMEOUT, MAX_HEAD_BYTES, STALL_TIMEOUT, STOP_TIMEOUT};
use crate::registry;
use crate::upload;
use connections::Connections;
use health::{HEALTH, READINESS, ready};
use stream::client_stream;

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
    if let Some(lab) = &context.lab {
        router = router.route("/_lab/{*call}", any(lab::control).with_state(Arc::clone(lab)));
    }
    router.fallback(api).with_state(context)
}

/// Serves with default limits until `shutdown` completes, then waits for running requests.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_with(listener, router, ConnectionLimits::default(), shutdown).await;
}

/// Like [`serve`], with configured limits.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) {
    let mut server = Server {
        router: TowerToHyperService::new(router),
        connections: Connections::new(limits),
        graceful: GracefulShutdown::new(),
        http: http1::Builder::new(),
    };
    let http = &mut server.http;
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => server.start(stream, peer),
            Err(error) => server.recover(&error).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, server.graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

struct Server {
    router: TowerToHyperService<Router>,
    connections: Arc<Connections>,
    graceful: GracefulShutdown,
    http: http1::Builder,
}

impl Server {
    /// Serves a connection in its own task.
    fn start(&self, stream: TcpStream, peer: SocketAddr) {
        let guard = self.connections.admit(peer.ip());
        // A reply is one write: waiting to fill a packet only delays it.
        let _ = stream.set_nodelay(true);
        let (router, connection) = (self.router.clone(), Arc::clone(&guard.0));
        let (reader, writer) = stream.into_split();
        let stream = client_stream(reader, writer, guard, STALL_TIMEOUT);
        let service = service_fn(move |request| {
            exchange::answer(router.clone(), Arc::clone(&connection), peer, request)
        });
        let connection = self.graceful.watch(self.http.serve_connection(TokioIo::new(stream), service));
        // A client that disconnects is not an error.
        tokio::spawn(connection.map(drop));
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
