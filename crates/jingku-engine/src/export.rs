//! An archive that an engine sends, read by a thread.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::EngineError;

/// How long an engine may send nothing. A large file with holes takes it a while to walk over.
const SILENCE_MAX: Duration = Duration::from_mins(2);
/// Pieces received ahead of the reader; the engine sends at most 64 KiB in each.
const PIECES_AHEAD: usize = 16;

/// The bytes of an archive. Reading blocks, and must not be done on a thread of the runtime.
///
/// An engine that fails half way may end the archive early without an error: only the end mark of the archive tells that
/// it is whole.
pub struct Export {
    pieces: mpsc::Receiver<Result<Bytes, EngineError>>,
    piece: Bytes,
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
            loop {
                let piece = tokio::select! {
                    piece = timeout(SILENCE_MAX, stream.next()) => match piece {
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
            }
        });
        Self { pieces, piece: Bytes::new() }
    }
}

impl Read for Export {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
            }
        }
        let length = buf.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buf[..length]);
        Ok(length)
    }
}
