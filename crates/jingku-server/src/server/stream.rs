//! A client's byte stream: counts what arrives, fails when its connection is evicted, and times out stalled writes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutStream;

use super::connections::ConnectionGuard;
use super::framing::Framing;

/// A stream of plain text: TCP, or what TLS has decrypted.
pub(super) struct ClientStream<S> {
    stream: Pin<Box<TimeoutStream<S>>>,
    /// Absent for HTTP/2, which states the length of each part itself.
    framing: Option<Framing>,
    guard: ConnectionGuard,
}

impl<S: AsyncRead + AsyncWrite> ClientStream<S> {
    /// A write fails when the client takes no byte for `write_timeout`. TCP has no such limit: a client that requests a
    /// disk and never reads it would keep its connection, a transfer slot and the chunks read ahead.
    pub(super) fn new(stream: S, is_h2: bool, guard: ConnectionGuard, write_timeout: Duration) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(write_timeout));
        let framing = (!is_h2).then(Framing::default);
        Self { stream: Box::pin(stream), framing, guard }
    }

    /// Fails if the connection is evicted. Otherwise eviction wakes the task.
    fn check_evicted(&self, context: &mut Context<'_>) -> io::Result<()> {
        let evicted = self.guard.0.poll_evicted(context).is_ready();
        if evicted { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn count_sent(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written {
            self.guard.metrics().sent_bytes.inc_by(*bytes as u64);
        }
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for ClientStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_evicted(context)?;
        let filled = buffer.filled().len();
        let outcome = this.stream.as_mut().poll_read(context, buffer);
        let bytes = &buffer.filled()[filled..];
        this.guard.metrics().received_bytes.inc_by(bytes.len() as u64);
        if let Some(framing) = &mut this.framing
            && matches!(outcome, Poll::Ready(Ok(())))
            && !bytes.is_empty()
        {
            if this.guard.0.awaits_head() {
                framing.begin();
            }
            let ambiguous = framing.read(bytes);
            this.guard.received(bytes.len(), ambiguous);
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for ClientStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_evicted(context)?;
        let written = this.stream.as_mut().poll_write(context, bytes);
        this.count_sent(&written);
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_evicted(context)?;
        let written = this.stream.as_mut().poll_write_vectored(context, bytes);
        this.count_sent(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use jingku_library::ConnectionLimits;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;
    use crate::metrics::ConnectionMetrics;
    use crate::server::connections::Connections;

    fn client_stream(near: DuplexStream, timeout: Duration) -> ClientStream<DuplexStream> {
        let admitted = Connections::new(ConnectionLimits::default(), ConnectionMetrics::default());
        let admitted = admitted.admit(Ipv4Addr::LOCALHOST.into(), false);
        ClientStream::new(near, false, admitted, timeout)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_times_out_only_if_the_client_reads_nothing() {
        let timeout = Duration::from_mins(1);
        let (near, mut far) = duplex(8);
        let mut near = client_stream(near, timeout);
        let reading = tokio::spawn(async move {
            let mut byte = [0];
            for _ in 0..20 {
                tokio::time::sleep(timeout / 2).await;
                far.read_exact(&mut byte).await.unwrap();
            }
            far
        });
        near.write_all(&[7; 28]).await.unwrap();
        let _far = reading.await.unwrap();
        let started = Instant::now();
        let error = near.write_all(&[7; 28]).await.unwrap_err();
        assert_eq!((error.kind(), started.elapsed()), (io::ErrorKind::TimedOut, timeout));
    }
}
