//! The listener: connections in, responses out, a clean end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::routing::{any, get, head};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::context::Context;
use crate::cover;
use crate::download;
use crate::gateway;
use crate::lab;
use crate::limits::{HEADER_READ_TIMEOUT, MAX_CONNECTIONS, STALL_TIMEOUT, STOP_TIMEOUT};
use crate::stall::Stall;
use crate::upload;

/// How long to wait after a failed accept, which is most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The routes: health for whoever watches the process, covers for browsers, the API everywhere else. Clients send to any
/// path.
pub fn router(context: Arc<Context>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/covers/{id}", get(cover::serve).fallback(gateway::handle))
        .route("/images/{id}/disk", get(download::serve).fallback(gateway::handle))
        .route("/uploads/{id}", head(upload::serve).patch(upload::serve).post(upload::serve));
    if context.lab.is_some() {
        router = router.route("/_lab/{*call}", any(lab::control));
    }
    router.fallback(gateway::handle).with_state(context)
}

async fn ready(State(context): State<Arc<Context>>) -> (StatusCode, String) {
    match context.catalog.ping().await {
        Ok(()) if context.is_read_only() => {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready: the data folder is read-only\n".to_owned())
        }
        Ok(()) => match &*context.health.problems() {
            [] => (StatusCode::OK, "ready\n".to_owned()),
            problems => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", problems.join("; "))),
        },
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {error}\n")),
    }
}

/// Serves until `shutdown` ends, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let permit = connections.clone().acquire_owned();
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = async { (permit.await, listener.accept().await) } => accepted,
        };
        let (permit, stream, peer) = match accepted {
            (permit, Ok((stream, peer))) => (permit, stream, peer),
            (_, Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Replies are one write each: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        // The gateway asks for it: a key may be good from some addresses only.
        let service = service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(Stall::new(stream, STALL_TIMEOUT)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no event.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}
