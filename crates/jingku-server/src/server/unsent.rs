//! Counts the bytes of a response that are in memory until its client takes them.

use std::mem::take;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};

use super::connection::Connection;
use super::connections::Connections;

/// Parts of fewer bytes are no longer counted when they wait to be written.
const COUNTED_BYTES_MIN: usize = 1 << 10;

/// Bytes of a response, which count for its connection until this is dropped.
pub(super) struct Unsent {
    connection: Arc<Connection>,
    bytes: usize,
}

/// A part of a response that waits to be written.
struct Part {
    bytes: Bytes,
    _unsent: Unsent,
}

impl Unsent {
    /// Counts a body that is in memory. The length of a streamed one is not known: transfers have their own limits.
    pub(super) fn of(body: &Body, connections: &Connections, connection: &Arc<Connection>) -> Self {
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if bytes > 0 {
            connections.add_unsent(connection, bytes);
        }
        Self { connection: Arc::clone(connection), bytes }
    }

    /// Lets a part count until it was written: HTTP/2 keeps it when the body has ended, until the client allows more.
    pub(super) fn hand_over(&mut self, part: Bytes) -> Bytes {
        if !(COUNTED_BYTES_MIN..=self.bytes).contains(&part.len()) {
            return part;
        }
        self.bytes -= part.len();
        let unsent = Self { connection: Arc::clone(&self.connection), bytes: part.len() };
        Bytes::from_owner(Part { bytes: part, _unsent: unsent })
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        let bytes = take(&mut self.bytes);
        if bytes > 0 {
            self.connection.remove_unsent(bytes);
        }
    }
}
