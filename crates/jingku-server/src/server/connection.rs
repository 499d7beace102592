//! The state of one connection: what it waits for, and how many bytes of an unanswered request it holds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use jingku_library::lock;
use tokio::time::Instant;

/// The address of a client; for IPv6, its /64 network, in which one client can choose any address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(IpAddr);

impl Origin {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Self(Ipv6Addr::from_bits(network).into())
            }
            IpAddr::V6(_) => Self(Ipv4Addr::LOCALHOST.into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }

    pub(super) fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }
}

/// A connection, shared by its stream, its requests and the table of connections.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) origin: Origin,
    /// Accepted beyond the limit: only health checks are answered.
    pub(super) reserved: bool,
    /// Received bytes of the unanswered requests of all connections.
    held_by_all: Arc<AtomicUsize>,
    state: Mutex<State>,
    reader: AtomicWaker,
}

struct State {
    phase: Phase,
    /// Start of the request, or of the idle time.
    since: Instant,
    /// Received bytes of the unanswered request.
    held: usize,
    /// The connection must close to free its place.
    evicted: bool,
    /// A head stated the length of its body twice.
    ambiguous: bool,
}

impl State {
    fn release(&mut self, held_by_all: &AtomicUsize) {
        held_by_all.fetch_sub(std::mem::take(&mut self.held), Ordering::Relaxed);
    }
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The head of the next request.
    Head,
    /// The rest of a request's body.
    Body,
    /// The server, or a transfer, which has its own limits.
    Response,
}

impl Connection {
    pub(super) fn new(number: u64, origin: Origin, reserved: bool, held_by_all: Arc<AtomicUsize>) -> Self {
        let state =
            State { phase: Phase::Head, since: Instant::now(), held: 0, evicted: false, ambiguous: false };
        let reader = AtomicWaker::new();
        Self { number, origin, reserved, held_by_all, state: Mutex::new(state), reader }
    }

    /// Ready if evicted. Otherwise eviction wakes the reader.
    pub(super) fn poll_evicted(&self, context: &mut Context<'_>) -> Poll<()> {
        // First, so that no eviction is missed.
        self.reader.register(context.waker());
        if lock(&self.state).evicted { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Counts received bytes. Returns how many bytes all connections hold then.
    pub(super) fn received(&self, bytes: usize, ambiguous: bool) -> usize {
        let mut state = lock(&self.state);
        state.ambiguous |= ambiguous;
        if state.phase == Phase::Response || state.evicted {
            return 0;
        }
        if state.held == 0 {
            state.since = Instant::now();
        }
        state.held += bytes;
        self.held_by_all.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Starts a request whose head was read. Returns whether the head is ambiguous.
    pub(super) fn begin(&self, has_body: bool) -> bool {
        let mut state = lock(&self.state);
        state.phase = if has_body { Phase::Body } else { Phase::Response };
        state.ambiguous
    }

    pub(super) fn end_body(&self) {
        lock(&self.state).phase = Phase::Response;
    }

    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Head;
        state.since = Instant::now();
        state.release(&self.held_by_all);
    }

    /// Since when the connection waits for its client, and the bytes it holds; `None` if it does not wait.
    pub(super) fn idle(&self) -> Option<(Instant, usize)> {
        let state = lock(&self.state);
        (state.phase != Phase::Response).then_some((state.since, state.held))
    }

    /// Whether the next bytes start a new request.
    pub(super) fn awaits_head(&self) -> bool {
        lock(&self.state).phase == Phase::Head
    }

    /// Closes the connection and releases its bytes, unless its request was received meanwhile.
    pub(super) fn evict(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Response {
            return;
        }
        state.evicted = true;
        state.release(&self.held_by_all);
        drop(state);
        self.reader.wake();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.state).release(&self.held_by_all);
    }
}
