//! All connections, and which one is evicted when the limit is reached.
//!
//! No client waits for a place. A new connection evicts the connection that has waited longest for its client, of the
//! address with the most connections. If all are being answered, some more are accepted for health checks.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jingku_library::{ConnectionLimits, lock};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

use super::connection::{Connection, Totals};
use crate::limits::{MAX_HELD_BYTES, MAX_RESERVED_CONNECTIONS, MAX_UNSENT_BYTES, SPARED_HELD_BYTES};
use crate::metrics::ConnectionMetrics;
use crate::origin::Origin;

/// One connection of this many is evicted at a time, so that the scan pays off.
const EVICTED_SHARE: usize = 64;

pub(super) struct Connections {
    limits: ConnectionLimits,
    pub(super) metrics: ConnectionMetrics,
    open: Mutex<Open>,
    next_number: AtomicU64,
    totals: Arc<Totals>,
}

#[derive(Default)]
struct Open {
    /// Within the limit. Evicted connections are removed.
    regular: HashMap<u64, Arc<Connection>>,
    by_origin: HashMap<Origin, usize>,
    reserved: HashMap<u64, Arc<Connection>>,
    evicted: Counter,
}

/// Removes its connection from the table when dropped.
pub(super) struct ConnectionGuard(pub(super) Arc<Connection>, Arc<Connections>);

impl Connections {
    pub(super) fn new(limits: ConnectionLimits, metrics: ConnectionMetrics) -> Arc<Self> {
        let total = limits.total.min(descriptors_max() / 2).max(1);
        Arc::new(Self {
            limits: ConnectionLimits { total, ..limits },
            open: Mutex::new(Open { evicted: metrics.evicted.clone(), ..Open::default() }),
            metrics,
            next_number: AtomicU64::default(),
            totals: Arc::default(),
        })
    }

    /// Adds a connection. Evicts others if the limit is reached. A trusted proxy speaks for many clients, so it may have any
    /// number of connections.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> ConnectionGuard {
        let origin = Origin::of(address);
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let mut open = lock(&self.open);
        let of_origin = open.by_origin.get(&origin).copied().unwrap_or(0);
        let limited = !is_proxy && !origin.is_loopback();
        let has_place = if limited && of_origin >= self.limits.per_address {
            open.evict_idle(Some(origin))
        } else {
            open.regular.len() < self.limits.total || open.evict_idle(None)
        };
        if !has_place && open.reserved.len() >= MAX_RESERVED_CONNECTIONS {
            open.evict_reserved();
        }
        self.gauge(!has_place).inc();
        let connection = Arc::new(Connection::new(number, origin, !has_place, Arc::clone(&self.totals)));
        open.insert(Arc::clone(&connection));
        ConnectionGuard(connection, Arc::clone(self))
    }

    fn gauge(&self, reserved: bool) -> &Gauge {
        if reserved { &self.metrics.reserved } else { &self.metrics.open }
    }

    /// Counts received bytes of one of several requests of a connection.
    pub(super) fn received_part(&self, connection: &Connection, bytes: usize) {
        self.limit_held(connection.received_part(bytes));
    }

    /// Beyond the limit, evicts the oldest requests of the address that holds most.
    fn limit_held(&self, held: usize) {
        if held > MAX_HELD_BYTES {
            lock(&self.open).evict_holding(held - MAX_HELD_BYTES);
        }
    }

    /// Counts bytes of a response. Beyond the limit, evicts the connections of the address that leaves most of them unread.
    pub(super) fn add_unsent(&self, connection: &Connection, bytes: usize) {
        let unsent = connection.add_unsent(bytes);
        if unsent > MAX_UNSENT_BYTES {
            lock(&self.open).evict_unsent(unsent - MAX_UNSENT_BYTES);
        }
    }

    /// Evicts idle connections. Returns whether there were any.
    pub(super) fn evict_idle(&self) -> bool {
        lock(&self.open).evict_idle(None)
    }
}

impl Open {
    fn insert(&mut self, connection: Arc<Connection>) {
        if connection.reserved {
            self.reserved.insert(connection.number, connection);
        } else {
            *self.by_origin.entry(connection.origin).or_default() += 1;
            self.regular.insert(connection.number, connection);
        }
    }

    /// Removes a connection if it is present.
    fn remove(&mut self, number: u64) {
        self.reserved.remove(&number);
        let Some(connection) = self.regular.remove(&number) else { return };
        if let Some(count) = self.by_origin.get_mut(&connection.origin) {
            *count -= 1;
            if *count == 0 {
                self.by_origin.remove(&connection.origin);
            }
        }
    }

    /// Evicts the connections that have waited longest for their clients: of one address, or of the addresses with the most
    /// connections.
    fn evict_idle(&mut self, of: Option<Origin>) -> bool {
        let mut idle: Vec<_> = self
            .regular
            .values()
            .filter(|connection| of.is_none_or(|of| connection.origin == of))
            .filter_map(|connection| {
                let (since, _) = connection.idle()?;
                Some((Reverse(self.by_origin[&connection.origin]), since, connection.number))
            })
            .collect();
        let places = of.map_or(self.regular.len(), |of| self.by_origin.get(&of).copied().unwrap_or(0));
        let count = (places / EVICTED_SHARE).max(1).min(idle.len());
        if count == 0 {
            return false;
        }
        idle.select_nth_unstable(count - 1);
        for (.., number) in &idle[..count] {
            self.evict(*number);
        }
        true
    }

    fn evict_reserved(&mut self) {
        let oldest =
            self.reserved.values().filter_map(|connection| Some((connection.idle()?.0, connection.number)));
        if let Some((_, number)) = oldest.min() {
            self.evict(number);
        }
    }

    /// Evicts the oldest unfinished requests of the address that holds most, until `bytes` are free.
    fn evict_holding(&mut self, bytes: usize) {
        self.evict_most(bytes, Connection::holding, Connection::evict);
    }

    /// Evicts the connections of the address with most unsent bytes, first those that have had some for longest, until
    /// `bytes` are free.
    fn evict_unsent(&mut self, bytes: usize) {
        self.evict_most(bytes, |connection| Some(connection.unsent()), Connection::evict_unsent);
    }

    fn evict_most(
        &mut self,
        mut bytes: usize,
        holding: impl Fn(&Connection) -> Option<(Instant, usize)>,
        evict: impl Fn(&Connection),
    ) {
        let all = self.regular.values().chain(self.reserved.values());
        let holding = all.filter_map(|connection| {
            let (since, held) = holding(connection)?;
            (held > SPARED_HELD_BYTES).then_some((connection.origin, since, connection.number, held))
        });
        let mut holding: Vec<_> = holding.collect();
        let mut by_origin: HashMap<Origin, usize> = HashMap::new();
        for (origin, .., held) in &holding {
            *by_origin.entry(*origin).or_default() += held;
        }
        holding.sort_unstable_by_key(|(origin, since, ..)| (Reverse(by_origin[origin]), *since));
        for (.., number, held) in holding {
            if bytes == 0 {
                break;
            }
            self.evict_with(number, &evict);
            bytes = bytes.saturating_sub(held);
        }
    }

    fn evict(&mut self, number: u64) {
        self.evict_with(number, Connection::evict);
    }

    fn evict_with(&mut self, number: u64, evict: impl Fn(&Connection)) {
        let connection = self.regular.get(&number).or_else(|| self.reserved.get(&number));
        if let Some(connection) = connection {
            evict(connection);
            self.evicted.inc();
        }
        self.remove(number);
    }
}

impl ConnectionGuard {
    /// The metrics of all connections.
    pub(super) fn metrics(&self) -> &ConnectionMetrics {
        &self.1.metrics
    }

    /// Counts received bytes.
    pub(super) fn received(&self, bytes: usize, ambiguous: bool) {
        self.1.limit_held(self.0.received(bytes, ambiguous));
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.1.gauge(self.0.reserved).dec();
        lock(&self.1.open).remove(self.0.number);
    }
}

/// Maximum number of open files of the process.
fn descriptors_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn connections(total: usize, per_address: usize) -> Arc<Connections> {
        Connections::new(ConnectionLimits { total, per_address }, ConnectionMetrics::default())
    }

    fn begin_with_body(guard: &ConnectionGuard) {
        guard.0.begin();
        guard.0.begin_body();
    }

    fn is_evicted(guard: &ConnectionGuard) -> bool {
        guard.0.poll_evicted(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_evicts_the_longest_idle_of_the_address_with_most_connections() {
        let connections = connections(4, 100);
        let other = connections.admit(B, false);
        let mut guards = Vec::new();
        for _ in 0..6 {
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            guards.push(connections.admit(A, false));
        }
        let evicted: Vec<_> = guards.iter().map(is_evicted).collect();
        assert_eq!(evicted, [true, true, true, false, false, false]);
        assert!(!is_evicted(&other) && guards.iter().all(|guard| !guard.0.reserved));
        assert_eq!(lock(&connections.open).regular.len(), 4);
        drop((guards, other));
        let open = lock(&connections.open);
        assert!(open.regular.is_empty() && open.by_origin.is_empty());
    }

    #[tokio::test]
    async fn connections_being_answered_stay_and_new_ones_are_reserved() {
        let connections = connections(2, 100);
        let guards = [connections.admit(A, false), connections.admit(A, false)];
        for guard in &guards {
            guard.0.begin();
        }
        let reserved: Vec<_> = (0..=MAX_RESERVED_CONNECTIONS).map(|_| connections.admit(B, false)).collect();
        assert!(reserved.iter().all(|guard| guard.0.reserved) && !guards.iter().any(is_evicted));
        assert_eq!(reserved.iter().filter(|guard| is_evicted(guard)).count(), 1);
        guards[0].0.end(0);
        assert!(!connections.admit(B, false).0.reserved && is_evicted(&guards[0]));
    }

    #[tokio::test]
    async fn connections_per_address_are_limited_except_for_loopback() {
        let connections = connections(100, 2);
        let guards: Vec<_> = (0..4).map(|_| connections.admit(A, false)).collect();
        assert_eq!(guards.iter().filter(|guard| is_evicted(guard)).count(), 2);
        let network = |host| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, host, 0, 0, 1));
        let guards: Vec<_> = (0..4).map(|host| connections.admit(network(host), false)).collect();
        assert_eq!(guards.iter().filter(|guard| is_evicted(guard)).count(), 2);
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let guards: Vec<_> = (0..4).map(|_| connections.admit(address.parse().unwrap(), false)).collect();
            assert!(!guards.iter().any(is_evicted), "{address}");
        }
    }

    #[tokio::test]
    async fn a_trusted_proxy_has_any_number_of_connections() {
        let connections = connections(100, 2);
        let guards: Vec<_> = (0..4).map(|_| connections.admit(A, true)).collect();
        assert!(!guards.iter().any(is_evicted));
    }

    /// One request of HTTP/2 is answered while another holds bytes: the connection is not idle, but its bytes count.
    #[tokio::test]
    async fn bytes_of_one_of_several_requests_are_limited() {
        let connections = connections(100, 100);
        let guard = connections.admit(A, false);
        guard.0.begin();
        begin_with_body(&guard);
        assert!(guard.0.idle().is_none());
        connections.received_part(&guard.0, 1000);
        guard.0.end_body();
        guard.0.end(1000);
        assert_eq!(connections.totals.held.load(Ordering::Relaxed), 0);
        begin_with_body(&guard);
        connections.received_part(&guard.0, MAX_HELD_BYTES);
        assert!(!is_evicted(&guard));
        connections.received_part(&guard.0, 1);
        assert!(is_evicted(&guard));
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_with_most_unsent_bytes_loses_the_connection_that_waits_longest() {
        let connections = connections(100, 100);
        let honest = connections.admit(B, false);
        connections.add_unsent(&honest.0, 100_000);
        let count = MAX_UNSENT_BYTES / (1 << 20);
        let mut guards = Vec::new();
        for _ in 0..count {
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            let guard = connections.admit(A, false);
            guard.0.begin();
            connections.add_unsent(&guard.0, 1 << 20);
            guards.push(guard);
        }
        // Even while it is answered, and its bytes count no longer.
        let evicted: Vec<_> = guards.iter().map(is_evicted).collect();
        assert!(evicted[0] && evicted[1..].iter().all(|evicted| !evicted) && !is_evicted(&honest));
        guards[0].0.remove_unsent(1 << 20);
        guards[1].0.remove_unsent(1 << 20);
        connections.add_unsent(&guards[2].0, 1 << 20);
        assert!(!guards[1..].iter().any(is_evicted));
        drop((guards, honest));
        assert_eq!(connections.totals.unsent.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_that_holds_most_bytes_loses_its_oldest_request() {
        let connections = connections(100, 100);
        let honest = connections.admit(B, false);
        begin_with_body(&honest);
        honest.received(70_000, false);
        let count = MAX_HELD_BYTES / (1 << 20);
        let mut guards = Vec::new();
        for _ in 0..count {
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            let guard = connections.admit(A, false);
            begin_with_body(&guard);
            guard.received(1 << 20, false);
            guards.push(guard);
        }
        let evicted: Vec<_> = guards.iter().map(is_evicted).collect();
        assert!(evicted[0] && evicted[1..].iter().all(|evicted| !evicted) && !is_evicted(&honest));
        guards[1].0.end_body();
        guards[2].received(1 << 20, false);
        assert!(!is_evicted(&guards[1]), "its request is being answered");
        assert!(is_evicted(&guards[2]));
        drop((guards, honest));
        assert_eq!(connections.totals.held.load(Ordering::Relaxed), 0);
    }
}
