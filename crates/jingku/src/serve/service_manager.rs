//! Notifies systemd about a service of `Type=notify`. Does nothing without `NOTIFY_SOCKET`.
//!
//! The watchdog is fed only while the server answers a request over its own listener, which needs the accept loop, a
//! free descriptor and a running thread. It asks `/healthz`, not `/readyz`: a restart does not bring lost files back, and
//! ends the reads that still work.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 ";

pub(super) fn ready() {
    send(NotifyState::Ready);
}

pub(super) fn stopping() {
    send(NotifyState::Stopping);
}

/// Feeds the watchdog for as long as it is polled. Without a watchdog it waits for ever.
///
/// A listener with TLS or the PROXY protocol refuses the plain request. Then it is enough that it does so in time.
pub(super) async fn feed_watchdog(address: SocketAddr, is_plain_http: bool) {
    let Some(period) = watchdog_enabled() else { return std::future::pending().await };
    loop {
        // Two attempts fit into a period.
        let answered = async {
            let answer = ask(address).await;
            if is_plain_http { answer } else { answer.or_else(refused).map(|_| true) }
        };
        match timeout(period / 4, answered).await {
            Ok(Ok(true)) => send(NotifyState::Watchdog),
            Ok(Ok(false)) => tracing::warn!("the health check of the watchdog got another answer than 200"),
            Ok(Err(error)) => tracing::warn!(%error, "the health check of the watchdog failed"),
            Err(_) => tracing::warn!("the health check of the watchdog got no answer in time"),
        }
        sleep(period / 4).await;
    }
}

/// Returns whether the server at this address answers with 200.
async fn ask(address: SocketAddr) -> io::Result<bool> {
    // On Linux, the unspecified address connects to this machine.
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer == ANSWER)
}

/// Counts a connection that the server ended as an answer.
fn refused(error: io::Error) -> io::Result<bool> {
    let is_ended =
        matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
    if is_ended { Ok(true) } else { Err(error) }
}

fn send(state: NotifyState<'_>) {
    if let Err(error) = notify(&[state]) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    /// Asks a server that answers a request with these bytes and closes the connection.
    async fn ask_one_that_says(answer: &'static [u8]) -> io::Result<bool> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; REQUEST.len()];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(answer).await.unwrap();
        });
        ask(address).await
    }

    #[tokio::test]
    async fn only_an_answer_of_200_counts() {
        assert!(ask_one_that_says(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap());
        assert!(!ask_one_that_says(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await.unwrap());
        assert!(ask_one_that_says(b"").await.is_err());
        assert!(ask_one_that_says(b"").await.or_else(refused).unwrap());
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(ask(closed).await.or_else(refused).is_err());
    }

    #[tokio::test]
    async fn a_server_that_accepts_no_connection_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let asked = timeout(Duration::from_millis(50), ask(silent.local_addr().unwrap())).await;
        assert!(asked.is_err());
    }
}
