//! Reads an object piece by piece.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::shared::{READ_BYTES, Shared};
use crate::error::Error;
use crate::key::Key;

/// The rest of an object whose first bytes are known. A reader must verify the whole: the object may be replaced between
/// two requests.
pub(super) struct Body {
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) length: u64,
    pub(super) ready: Bytes,
    /// Where the bytes after `ready` begin.
    pub(super) next: u64,
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() && self.next < self.length && !buf.is_empty() {
            let (part, _) =
                self.shared.get(self.key, self.next, READ_BYTES).map_err(|trouble| {
                    match trouble.of_object("read", self.key) {
                        Error::NotFound(_) => io::ErrorKind::NotFound.into(),
                        error => io::Error::other(error),
                    }
                })?;
            if part.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.next += part.len() as u64;
            self.ready = part;
        }
        let length = buf.len().min(self.ready.len());
        self.ready.copy_to_slice(&mut buf[..length]);
        Ok(length)
    }
}
