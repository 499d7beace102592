//! Reading ahead on a thread of its own.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::{mem, panic, thread};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces that wait for the reader. One more is being filled, and one more read.
const PIECES_AHEAD: usize = 2;

/// Yields what was read ahead.
pub struct Ahead<'a> {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    abandoned: &'a AtomicBool,
}

/// Has another thread read `source` while `work` reads what was read. Returns the source and the result of the work.
///
/// The thread ends soon after the work, unless the source blocks: then with its next `Interrupted`.
pub fn read_ahead<R: Read + Send, T>(mut source: R, work: impl FnOnce(Ahead<'_>) -> T) -> (R, T) {
    let abandoned = AtomicBool::new(false);
    let (sender, pieces) = mpsc::sync_channel(PIECES_AHEAD);
    let worked = thread::scope(|scope| {
        let (source, ended) = (&mut source, &abandoned);
        let reading = scope.spawn(move || read_all(source, &sender, ended));
        let worked = work(Ahead { pieces, piece: io::Cursor::default(), abandoned: &abandoned });
        reading.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        worked
    });
    (source, worked)
}

fn read_all(source: &mut impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>, abandoned: &AtomicBool) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let mut length = 0;
        let mut failed = None;
        while length < PIECE_BYTES && failed.is_none() && !abandoned.load(Ordering::Relaxed) {
            match source.read(&mut piece[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => failed = Some(error),
            }
        }
        let is_end = length < PIECE_BYTES;
        piece.truncate(length);
        // Sending fails if nobody reads any more.
        let is_sent = length == 0 || pieces.send(Ok(piece)).is_ok();
        if let Some(error) = failed {
            let _ = pieces.send(Err(error));
        }
        if is_end || !is_sent {
            return;
        }
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            // Without a sender, all was read.
            let Ok(piece) = self.pieces.recv() else { return Ok(0) };
            self.piece = io::Cursor::new(piece?);
        }
    }
}

impl Drop for Ahead<'_> {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
        // The thread may be waiting for room.
        let (_, nothing) = mpsc::sync_channel(0);
        drop(mem::replace(&mut self.pieces, nothing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails after its bytes; is interrupted now and then, and for ever if it has no error.
    struct Failing<'a>(&'a [u8], Option<io::Error>, bool);

    impl Read for Failing<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 || (self.0.is_empty() && self.1.is_none()) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.0.read(buf)? {
                0 => self.1.take().map_or(Ok(0), Err),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn all_bytes_arrive_in_order() {
        let bytes: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
        for length in [0, 1, PIECE_BYTES, bytes.len()] {
            let (rest, read) = read_ahead(&bytes[..length], |mut ahead| {
                let mut read = Vec::new();
                ahead.read_to_end(&mut read).map(|_| read)
            });
            assert!(rest.is_empty() && read.expect("no error") == bytes[..length]);
        }
    }

    #[test]
    fn an_error_arrives_after_the_bytes_before_it() {
        let source = Failing(b"bytes", Some(io::Error::other("broken")), false);
        let (_, (read, error)) = read_ahead(source, |mut ahead| {
            let mut read = Vec::new();
            let error = ahead.read_to_end(&mut read).expect_err("it fails");
            (read, error)
        });
        assert_eq!((&read[..], error.to_string().as_str()), (&b"bytes"[..], "broken"));
    }

    #[test]
    fn reading_ends_with_the_work() {
        read_ahead(io::repeat(1), |mut ahead| ahead.read_exact(&mut [0; 10])).1.expect("no error");
        read_ahead(io::repeat(1), |_| ());
        read_ahead(Failing(b"bytes", None, false), |_| ());
    }
}
