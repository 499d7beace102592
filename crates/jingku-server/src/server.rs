//! The listener: connections in, responses out, a clean end.

mod connection;
mod connections;
mod exchange;
mod framing;
mod health;
mod origin;
mod stall;
mod stream;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, head};
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
use crate::upload;
use connections::Connections;
use health::{HEALTH, READINESS, ready};
use stall::Stall;
use stream::Counted;

/// How long to wait after a failed accept, until something is closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The routes: health checks, covers for browsers, the API everywhere else. Clients send to any
/// path.
pub fn router(context: Arc<Context>) -> Router {
    let mut router = Router::new();
    // A slash at the end is a habit of checkers, and must not lead to the API, which answers everything with 200.
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
        .route("/uploads/{id}", head(upload::serve).patch(upload::serve).post(upload::serve));
    if let Some(lab) = &context.lab {
        router = router.route("/_lab/{*call}", any(lab::control).with_state(Arc::clone(lab)));
    }
    router.fallback(api).with_state(context)
}

/// Serves until `shutdown` ends, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_with(listener, router, ConnectionLimits::default(), shutdown).await;
}

/// Does the same with other limits than those that hold without a configuration.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) {
    let server = Server {
        router: TowerToHyperService::new(router),
        connections: Connections::new(limits),
        graceful: GracefulShutdown::new(),
        http: http(),
    };
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

fn http() -> hyper::server::conn::http1::Builder {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    http
}

struct Server {
    router: TowerToHyperService<Router>,
    connections: Arc<Connections>,
    graceful: GracefulShutdown,
    http: hyper::server::conn::http1::Builder,
}

impl Server {
    /// Answers the requests of a connection in a task of its own.
    fn start(&self, stream: TcpStream, peer: SocketAddr) {
        let seat = self.connections.admit(peer.ip());
        // Replies are one write each: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let stream = Counted::new(Stall::new(stream, STALL_TIMEOUT), Arc::clone(&seat.0));
        let (router, connection) = (self.router.clone(), Arc::clone(&seat.0));
        let service = service_fn(move |request| {
            exchange::answer(router.clone(), Arc::clone(&connection), peer, request)
        });
        let connection = self.graceful.watch(self.http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that breaks off is no event.
            let _ = connection.await;
            drop(seat);
        });
    }

    /// Makes the next accept possible.
    async fn recover(&self, error: &io::Error) {
        // These say something about one connection only.
        if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) {
            return;
        }
        // Most likely there is no file descriptor left.
        let evicted = self.connections.evict_idle();
        tracing::warn!(%error, evicted, "cannot accept a connection");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
