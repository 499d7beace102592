//! HTTP/1.1 and HTTP/2 on one connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Idle};
use super::exchange::Exchanges;
use super::stream::ClientStream;
use crate::limits::{
    CONNECTION_WINDOW_BYTES_MAX, HEADER_READ_TIMEOUT, MAX_HEAD_BYTES, MAX_RESET_STREAMS, MAX_STREAMS,
    SEND_BUFFER_BYTES_MAX, STREAM_WINDOW_BYTES_MAX,
};

/// How often an HTTP/2 connection is checked for being idle.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The settings of both versions.
pub(super) struct Http {
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
}

impl Http {
    pub(super) fn new() -> Self {
        let mut http1 = Builder::new(TokioExecutor::new()).http1_only();
        http1
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES);
        let mut http2 = Builder::new(TokioExecutor::new()).http2_only();
        http2
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
            .max_local_error_reset_streams(MAX_RESET_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW_BYTES_MAX)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES_MAX)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).expect("it is 64 KiB"));
        Self { http1, http2 }
    }

    /// Serves a connection until its client closes it or is idle for too long. After `stop`, running requests are answered.
    pub(super) async fn serve<S: AsyncRead + AsyncWrite + Send + 'static>(
        &self,
        stream: ClientStream<S>,
        is_h2: bool,
        exchanges: Arc<Exchanges>,
        stop: &CancellationToken,
    ) {
        let connection = Arc::clone(&exchanges.connection);
        let service = service_fn(move |request| Arc::clone(&exchanges).answer(request));
        let http = if is_h2 { &self.http2 } else { &self.http1 };
        let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = serving.as_mut() => return,
            () = stop.cancelled() => {}
            // HTTP/1.1 has its own time limit, for heads.
            idle = idle(&connection), if is_h2 => if idle == Idle::Stalled { return },
        }
        // The client learns which requests are still answered, and gets some time to close the connection.
        serving.as_mut().graceful_shutdown();
        connection.restart_idle_time();
        tokio::select! {
            _ = serving => {}
            _ = idle(&connection), if is_h2 => {}
        }
    }
}

/// Ends when a client has been idle for too long.
async fn idle(connection: &Connection) -> Idle {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        if let Some(idle) = connection.too_long_idle() {
            return idle;
        }
    }
}
