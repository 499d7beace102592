//! The state of one connection: what it waits for, and how many bytes of requests and responses it holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::task::AtomicWaker;
use jingku_catalog::AccountId;
use jingku_library::lock;
use tokio::time::Instant;

use crate::limits::{HEADER_READ_TIMEOUT, STALL_TIMEOUT};
use crate::origin::Origin;

/// How many different pauses connections have.
const PAUSES: u32 = 64;

/// A connection, shared by its stream, its requests and the table of connections.
///
/// Over HTTP/1.1 it has one request at a time, over HTTP/2 several.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) origin: Origin,
    /// Accepted beyond the limit: only health checks are answered.
    pub(super) reserved: bool,
    totals: Arc<Totals>,
    state: Mutex<State>,
    reader: AtomicWaker,
}

/// What all connections hold in memory together, in bytes.
#[derive(Default)]
pub(super) struct Totals {
    /// Received bytes of unanswered requests.
    pub(super) held: AtomicUsize,
    /// Bytes of responses that clients have not taken.
    pub(super) unsent: AtomicUsize,
}

struct State {
    /// Requests whose head was read and whose response was not sent.
    requests: usize,
    /// Those of them whose body has not arrived completely.
    bodies: usize,
    /// Start of the request, or of the idle time.
    since: Instant,
    /// Received bytes of the unanswered requests.
    held: usize,
    /// The connection must close to free its place.
    evicted: bool,
    /// A head stated the length of its body twice.
    ambiguous: bool,
    /// No request is answered until then.
    paused_until: Option<Instant>,
    /// The account that the next request is counted for.
    flooding: Option<AccountId>,
    /// Bytes of responses that the client has not taken, and since when there are any.
    unsent: usize,
    unsent_since: Instant,
    next_response: u64,
    /// Parts of responses that wait until the client takes them, and since when. Only of HTTP/2, where a client can stop
    /// one response and keep the connection busy.
    unread: BTreeMap<u64, Instant>,
}

impl State {
    fn release(&mut self, held: usize, totals: &Totals) {
        let held = held.min(self.held);
        self.held -= held;
        totals.held.fetch_sub(held, Ordering::Relaxed);
    }

    fn release_unsent(&mut self, bytes: usize, totals: &Totals) {
        let bytes = bytes.min(self.unsent);
        self.unsent -= bytes;
        totals.unsent.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether the server, or a transfer with its own limits, is working on a request.
    fn is_answering(&self) -> bool {
        self.requests > self.bodies
    }
}

/// Why a client of HTTP/2 loses its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// It has sent no request for a while.
    Unused,
    /// It does not read a response.
    Stalled,
}

impl Connection {
    pub(super) fn new(number: u64, origin: Origin, reserved: bool, totals: Arc<Totals>) -> Self {
        let now = Instant::now();
        let state = State {
            requests: 0,
            bodies: 0,
            since: now,
            held: 0,
            evicted: false,
            ambiguous: false,
            paused_until: None,
            flooding: None,
            unsent: 0,
            unsent_since: now,
            next_response: 0,
            unread: BTreeMap::new(),
        };
        let reader = AtomicWaker::new();
        Self { number, origin, reserved, totals, state: Mutex::new(state), reader }
    }

    /// Ready if evicted. Otherwise eviction wakes the reader.
    pub(super) fn poll_evicted(&self, context: &mut Context<'_>) -> Poll<()> {
        // First, so that no eviction is missed.
        self.reader.register(context.waker());
        if lock(&self.state).evicted { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Answers no request for `time` to twice as long, which slows a client that sends too many. The pauses of connections
    /// differ: those of one client would otherwise end together, and all its requests come at once. The next request is
    /// counted for `account`.
    pub(super) fn pause(&self, time: Duration, account: Option<AccountId>) {
        let part = u32::try_from(self.number % u64::from(PAUSES)).expect("it is less than PAUSES");
        let mut state = lock(&self.state);
        state.paused_until = Some(Instant::now() + time + time * part / PAUSES);
        state.flooding = account;
    }

    /// The end of the pause, if there is one, and the account that only this request is counted for.
    pub(super) fn take_pause(&self) -> (Option<Instant>, Option<AccountId>) {
        let mut state = lock(&self.state);
        let until = state.paused_until.filter(|until| *until > Instant::now());
        (until, state.flooding.take())
    }

    /// Counts bytes of a response. Returns how many bytes all connections have not sent then.
    pub(super) fn add_unsent(&self, bytes: usize) -> usize {
        let mut state = lock(&self.state);
        if state.evicted {
            return 0;
        }
        if state.unsent == 0 {
            state.unsent_since = Instant::now();
        }
        state.unsent += bytes;
        self.totals.unsent.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// The client has taken so many bytes of a response, or does not get them.
    pub(super) fn remove_unsent(&self, bytes: usize) {
        lock(&self.state).release_unsent(bytes, &self.totals);
    }

    /// Since when the client has not taken everything, and how many bytes are left.
    pub(super) fn unsent(&self) -> (Instant, usize) {
        let state = lock(&self.state);
        (state.unsent_since, state.unsent)
    }

    /// Counts received bytes outside of responses. Returns how many bytes all connections hold then.
    pub(super) fn received(&self, bytes: usize, ambiguous: bool) -> usize {
        let mut state = lock(&self.state);
        state.ambiguous |= ambiguous;
        if state.is_answering() { 0 } else { self.hold(&mut state, bytes) }
    }

    /// Counts received bytes of one of several requests. Returns how many bytes all connections hold then.
    pub(super) fn received_part(&self, bytes: usize) -> usize {
        self.hold(&mut lock(&self.state), bytes)
    }

    fn hold(&self, state: &mut State, bytes: usize) -> usize {
        if state.evicted {
            return 0;
        }
        if state.held == 0 {
            state.since = Instant::now();
        }
        state.held += bytes;
        self.totals.held.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Starts a request whose head was read. Returns whether the head is ambiguous.
    pub(super) fn begin(&self) -> bool {
        let mut state = lock(&self.state);
        state.requests += 1;
        state.ambiguous
    }

    pub(super) fn begin_body(&self) {
        lock(&self.state).bodies += 1;
    }

    pub(super) fn end_body(&self) {
        lock(&self.state).bodies -= 1;
    }

    /// Ends a request that held so many bytes, besides those counted for the connection.
    pub(super) fn end(&self, held: usize) {
        let mut state = lock(&self.state);
        state.requests -= 1;
        let mut held = held;
        if state.requests == 0 {
            state.since = Instant::now();
            held = state.held;
        }
        state.release(held, &self.totals);
    }

    /// Since when the connection waits for its client, and the bytes it holds; `None` if it does not wait.
    pub(super) fn idle(&self) -> Option<(Instant, usize)> {
        let state = lock(&self.state);
        (!state.is_answering()).then_some((state.since, state.held))
    }

    /// The same for the bytes alone, which may belong to one of several requests.
    pub(super) fn holding(&self) -> Option<(Instant, usize)> {
        let state = lock(&self.state);
        (!state.is_answering() || state.bodies > 0).then_some((state.since, state.held))
    }

    /// Whether the next bytes start a new request.
    pub(super) fn awaits_head(&self) -> bool {
        lock(&self.state).requests == 0
    }

    /// Closes the connection and releases its bytes, unless its request was received meanwhile.
    pub(super) fn evict(&self) {
        let state = lock(&self.state);
        if !state.is_answering() || state.bodies > 0 {
            self.close(state);
        }
    }

    /// Closes the connection whatever it does.
    pub(super) fn evict_unsent(&self) {
        self.close(lock(&self.state));
    }

    fn close(&self, mut state: MutexGuard<'_, State>) {
        state.evicted = true;
        let (held, unsent) = (state.held, state.unsent);
        state.release(held, &self.totals);
        state.release_unsent(unsent, &self.totals);
        drop(state);
        self.reader.wake();
    }

    /// Numbers a response whose first part waits for the client.
    pub(super) fn begin_response(&self) -> u64 {
        let mut state = lock(&self.state);
        let number = state.next_response;
        state.next_response += 1;
        state.unread.insert(number, Instant::now());
        number
    }

    /// The client has taken the last part of a response: either the next one waits for it, or the server has none yet.
    pub(super) fn taken(&self, response: u64, next_waits: bool) {
        let mut state = lock(&self.state);
        if next_waits {
            state.unread.insert(response, Instant::now());
        } else {
            state.unread.remove(&response);
        }
    }

    /// Whether the client has done nothing for too long.
    pub(super) fn too_long_idle(&self) -> Option<Idle> {
        let state = lock(&self.state);
        if state.unread.values().any(|since| since.elapsed() >= STALL_TIMEOUT) {
            Some(Idle::Stalled)
        } else {
            (state.requests == 0 && state.since.elapsed() >= HEADER_READ_TIMEOUT).then_some(Idle::Unused)
        }
    }

    /// Starts the idle time again.
    pub(super) fn restart_idle_time(&self) {
        lock(&self.state).since = Instant::now();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let (held, unsent) = (state.held, state.unsent);
        state.release(held, &self.totals);
        state.release_unsent(unsent, &self.totals);
    }
}
