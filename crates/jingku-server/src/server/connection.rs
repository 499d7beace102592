//! One connection: what it waits for, and how many bytes of an unanswered request it holds.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use jingku_library::lock;
use tokio::time::Instant;

use super::origin::Origin;

/// Counts the bytes that all connections hold.
pub(super) trait HeldBytes: Send + Sync {
    fn hold(&self, bytes: usize);

    fn release(&self, bytes: usize);
}

/// A connection, shared between its stream, its requests and the table of all connections.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) origin: Origin,
    /// It came when there was no place for it: only health checks are answered.
    pub(super) reserved: bool,
    all: Arc<dyn HeldBytes>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// When the request began, or the connection became idle.
    since: Instant,
    /// Bytes received of a request that is not answered.
    held: usize,
    /// It must end: others need its place.
    evicted: bool,
    ambiguous: bool,
    /// Whom to wake when it is evicted.
    reader: Option<Waker>,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The head of the next request.
    Head,
    /// The rest of a request's body.
    Body,
    /// The server, or a transfer that has limits of its own.
    Answer,
}

/// What can be gained by ending a connection that waits for its client.
#[derive(Clone, Copy)]
pub(super) struct Idle {
    pub(super) since: Instant,
    pub(super) held: usize,
}

impl Connection {
    pub(super) fn new(number: u64, origin: Origin, reserved: bool, all: Arc<dyn HeldBytes>) -> Self {
        let state = State {
            phase: Phase::Head,
            since: Instant::now(),
            held: 0,
            evicted: false,
            ambiguous: false,
            reader: None,
        };
        Self { number, origin, reserved, all, state: Mutex::new(state) }
    }

    /// Whether it was evicted; otherwise its reader is woken when it is.
    pub(super) fn poll_evicted(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.evicted {
            return Poll::Ready(());
        }
        if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(context.waker())) {
            state.reader = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Counts bytes that came in.
    pub(super) fn received(&self, bytes: usize, ambiguous: bool) {
        let mut state = lock(&self.state);
        state.ambiguous |= ambiguous;
        if state.phase == Phase::Answer || state.evicted {
            return;
        }
        if state.held == 0 {
            state.since = Instant::now();
        }
        state.held += bytes;
        drop(state);
        self.all.hold(bytes);
    }

    /// A request's head is read. Returns whether it says in two ways where its body ends.
    pub(super) fn begin(&self, has_body: bool) -> bool {
        let mut state = lock(&self.state);
        state.phase = if has_body { Phase::Body } else { Phase::Answer };
        state.ambiguous
    }

    /// Nothing more is expected of the client but that it takes the answer.
    pub(super) fn end_body(&self) {
        lock(&self.state).phase = Phase::Answer;
    }

    /// The answer is written.
    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Head;
        state.since = Instant::now();
        let held = std::mem::take(&mut state.held);
        drop(state);
        self.all.release(held);
    }

    /// What it waits for since when, if that is its client.
    pub(super) fn idle(&self) -> Option<Idle> {
        let state = lock(&self.state);
        (state.phase != Phase::Answer).then_some(Idle { since: state.since, held: state.held })
    }

    /// Whether it waits for a head, so that bytes start a new request.
    pub(super) fn awaits_head(&self) -> bool {
        lock(&self.state).phase == Phase::Head
    }

    /// Ends it, unless the server has begun to work for it meanwhile. What it holds is free at once.
    pub(super) fn evict(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Answer {
            return;
        }
        state.evicted = true;
        let (held, reader) = (std::mem::take(&mut state.held), state.reader.take());
        drop(state);
        self.all.release(held);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let held = lock(&self.state).held;
        self.all.release(held);
    }
}
