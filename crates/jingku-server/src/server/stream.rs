//! A client's byte stream: counts what arrives, fails when its connection is evicted, and times out stalled writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

use super::connections::ConnectionGuard;
use super::framing::Framing;

/// Joins the halves of a client's stream.
///
/// A write fails when the client takes no byte for `write_timeout`. TCP has no such limit: a client that requests a disk
/// and never reads it would keep its connection, a transfer slot and the chunks read ahead.
pub(super) fn client_stream(
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite,
    guard: ConnectionGuard,
    write_timeout: Duration,
) -> impl AsyncRead + AsyncWrite + Unpin {
    let mut writer = TimeoutWriter::new(writer);
    writer.set_timeout(Some(write_timeout));
    tokio::io::join(ClientReader { reader, framing: Framing::default(), guard }, Box::pin(writer))
}

struct ClientReader<R> {
    reader: R,
    framing: Framing,
    guard: ConnectionGuard,
}

impl<R: AsyncRead + Unpin> AsyncRead for ClientReader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let connection = &this.guard.0;
        if connection.poll_evicted(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let filled = buffer.filled().len();
        let outcome = Pin::new(&mut this.reader).poll_read(context, buffer);
        let bytes = &buffer.filled()[filled..];
        if matches!(outcome, Poll::Ready(Ok(()))) && !bytes.is_empty() {
            if connection.awaits_head() {
                this.framing.begin();
            }
            let ambiguous = this.framing.read(bytes);
            this.guard.received(bytes.len(), ambiguous);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use jingku_library::ConnectionLimits;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;
    use crate::server::connections::Connections;

    #[tokio::test(start_paused = true)]
    async fn a_write_times_out_only_if_the_client_reads_nothing() {
        let timeout = Duration::from_mins(1);
        let (near, mut far) = duplex(8);
        let admitted = Connections::new(ConnectionLimits::default()).admit(Ipv4Addr::LOCALHOST.into());
        let (reader, writer) = tokio::io::split(near);
        let mut near = client_stream(reader, writer, admitted, timeout);
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
