//! What one client may ask of the service, and all clients together. Those on parameters are in `jingku-protocol`.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Semaphore;

/// The most connections at once. One more takes the place of the one that has waited longest for its client.
pub const MAX_CONNECTIONS: usize = 4096;
/// The most of them from one address, unless it is a loopback address.
pub const MAX_ADDRESS_CONNECTIONS: usize = 1024;
/// The connections beyond [`MAX_CONNECTIONS`], for health checks while all others are being answered.
pub const MAX_RESERVED_CONNECTIONS: usize = 64;
/// The most bytes of a request's head. No more is read ahead on a connection either.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// The most bytes of requests that have not come to their end, of all connections together. Beyond it, the address that
/// sent most of them loses its oldest request.
pub const MAX_HELD_BYTES: usize = 32 << 20;
/// A request of which no more bytes than this have come does not lose its place for its size.
pub const SPARED_HELD_BYTES: usize = 16 << 10;
/// How long a request's head may take to arrive; an idle connection is closed after the same time.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request body may take to arrive.
pub const BODY_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take none of what is sent to it, or send none of a file: then its connection is closed, and
/// what it held is free.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// A body up to this size, in bytes, is decoded at once; only a picture is larger.
pub(crate) const SMALL_BODY_BYTES: usize = 64 << 10;
/// The most larger bodies decoded at once; more wait.
pub const MAX_LARGE_DECODES: usize = 1;
/// The most exports at once; more are refused. Each has threads of its own.
pub const MAX_EXPORTS: usize = 16;
/// The most uploads that bytes come in for at once; more are refused. Each has a thread of its own.
pub const MAX_UPLOADS: usize = 16;
/// The most uploads of one account that have not come to their end.
pub const MAX_ACCOUNT_UPLOADS: i64 = 16;
/// The longest file that is uploaded, and the largest disk that is made an image of, in bytes: 1000 GB.
pub(crate) const DISK_BYTES_MAX: i64 = 1000 << 30;
/// The most covers looked at once; more wait. Each may need a hundred megabytes while it is.
pub(crate) const MAX_COVER_CHECKS: usize = 2;
/// How long a cover waits to be looked at.
pub const COVER_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long `/readyz` waits for the disk and the catalogue.
pub const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// The most accounts one image is shared with: their list comes in one answer.
pub const SHARES_MAX: i64 = 1000;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// In total. Half of the file descriptors that the process may open, if that is less.
    pub total: usize,
    /// From one address: an IPv4 address, or the first 64 bits of an IPv6 address. A proxy on the same machine speaks for
    /// many clients, so loopback addresses are not limited.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: MAX_CONNECTIONS, per_address: MAX_ADDRESS_CONNECTIONS }
    }
}

/// What is left of those that all clients share.
pub(crate) struct Shared {
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) large_decodes: Semaphore,
    pub(crate) cover_checks: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
            large_decodes: Semaphore::new(MAX_LARGE_DECODES),
            cover_checks: Arc::new(Semaphore::new(MAX_COVER_CHECKS)),
        }
    }
}
