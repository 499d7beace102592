//! An archive that an engine sends, read by a thread.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::EngineError;

/// How long an engine may take to begin. Podman first writes the whole archive to a temporary file.
pub(crate) const EXPORT_START_TIMEOUT: Duration = Duration::from_hours(2);
/// How long an engine that has begun may send nothing. A large file with holes takes it a while to walk over.
const SILENCE_MAX: Duration = Duration::from_mins(2);
/// Pieces received ahead of the reader; the engine sends at most 64 KiB in each.
const PIECES_AHEAD: usize = 16;
/// How long reading waits before it is interrupted, so that the reader can stop.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The bytes of an archive. Reading blocks, and must not be done on a thread of the runtime. It fails with `Interrupted`
/// once a second while the engine sends nothing; most callers of `read` then read again.
///
/// An engine that fails half way may end the archive early without an error: only the end mark of the archive tells that
/// it is whole.
pub struct Export {
    pieces: mpsc::Receiver<Result<Bytes, EngineError>>,
    piece: Bytes,
    runtime: Handle,
}

impl Export {
    /// Begins to receive. Must be called on the runtime.
    pub(crate) fn start<E>(stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self
    where
        EngineError: From<E>,
    {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(async move {
            let mut stream = Box::pin(stream);
            let mut silence_max = EXPORT_START_TIMEOUT;
            loop {
                let piece = tokio::select! {
                    piece = timeout(silence_max, stream.next()) => match piece {
                        Ok(None) => return,
                        Ok(Some(piece)) => piece.map_err(EngineError::from),
                        Err(_) => Err(EngineError::Slow),
                    },
                    // The engine must not wait for a reader that is gone.
                    () = sender.closed() => return,
                };
                let failed = piece.is_err();
                // Fails if the reader is gone.
                if sender.send(piece).await.is_err() || failed {
                    return;
                }
                silence_max = SILENCE_MAX;
            }
        });
        Self { pieces, piece: Bytes::new(), runtime: Handle::current() }
    }
}

impl Read for Export {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let wait = async { timeout(WAIT_MAX, self.pieces.recv()).await };
            match self.runtime.block_on(wait).map_err(|_| io::ErrorKind::Interrupted)? {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
            }
        }
        let length = buf.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buf[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiting_reader_is_interrupted_and_loses_nothing() {
        let late = async {
            tokio::time::sleep(WAIT_MAX * 3 / 2).await;
            Ok::<_, EngineError>(Bytes::from_static(b"late"))
        };
        let mut export = Export::start(futures::stream::once(late));
        let reading = tokio::task::spawn_blocking(move || {
            let interrupted = export.read(&mut [0; 4]).unwrap_err().kind();
            let mut rest = String::new();
            export.read_to_string(&mut rest).unwrap();
            (interrupted, rest)
        });
        assert_eq!(reading.await.unwrap(), (io::ErrorKind::Interrupted, "late".to_owned()));
    }
}
