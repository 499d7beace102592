//! All connections: who gets a place, and who loses it when there is none left.
//!
//! Nobody waits for a place. Who comes last gets that of the connection that has waited longest for its own client, of
//! the address that has most connections. While all of them are being answered, a few more are let in for health checks.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jingku_library::{ConnectionLimits, lock};

use super::connection::{Connection, HeldBytes, Idle};
use super::origin::Origin;
use crate::limits::{MAX_HELD_BYTES, MAX_RESERVED_CONNECTIONS, SPARED_HELD_BYTES};

/// Of so many connections one more loses its place with the first, so that looking for it pays.
const EVICTED_SHARE: usize = 64;

/// The connections of a server.
pub(super) struct Connections {
    limits: ConnectionLimits,
    open: Mutex<Open>,
    next_number: AtomicU64,
    /// Bytes received of requests that are not answered.
    held: AtomicUsize,
}

#[derive(Default)]
struct Open {
    /// Those with a place. Evicted ones are not among them any more.
    seated: HashMap<u64, Arc<Connection>>,
    by_origin: HashMap<Origin, usize>,
    reserved: HashMap<u64, Arc<Connection>>,
}

/// A connection's place, until dropped.
pub(super) struct Seat(pub(super) Arc<Connection>, Arc<Connections>);

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let total = limits.total.min(descriptors_max() / 2).max(1);
        Arc::new(Self {
            limits: ConnectionLimits { total, ..limits },
            open: Mutex::default(),
            next_number: AtomicU64::new(0),
            held: AtomicUsize::new(0),
        })
    }

    /// Lets a connection in.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Seat {
        let origin = Origin::of(address);
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let mut open = lock(&self.open);
        let of_origin = open.by_origin.get(&origin).copied().unwrap_or(0);
        let has_place = if !origin.is_loopback() && of_origin >= self.limits.per_address {
            open.evict_idle(Some(origin))
        } else {
            open.seated.len() < self.limits.total || open.evict_idle(None)
        };
        if !has_place && open.reserved.len() >= MAX_RESERVED_CONNECTIONS {
            open.evict_reserved();
        }
        let connection = Arc::new(Connection::new(number, origin, !has_place, self.clone()));
        open.insert(Arc::clone(&connection));
        Seat(connection, Arc::clone(self))
    }

    /// Ends idle connections. Returns whether there were any.
    pub(super) fn evict_idle(&self) -> bool {
        lock(&self.open).evict_idle(None)
    }
}

impl HeldBytes for Connections {
    /// When they are too many, the address that holds most of them loses its oldest requests.
    fn hold(&self, bytes: usize) {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if held > MAX_HELD_BYTES {
            lock(&self.open).evict_holding(held - MAX_HELD_BYTES);
        }
    }

    fn release(&self, bytes: usize) {
        if bytes > 0 {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Open {
    fn insert(&mut self, connection: Arc<Connection>) {
        if connection.reserved {
            self.reserved.insert(connection.number, connection);
        } else {
            *self.by_origin.entry(connection.origin).or_default() += 1;
            self.seated.insert(connection.number, connection);
        }
    }

    /// Takes a connection out, if it is still there.
    fn remove(&mut self, number: u64) {
        self.reserved.remove(&number);
        let Some(connection) = self.seated.remove(&number) else { return };
        if let Some(count) = self.by_origin.get_mut(&connection.origin) {
            *count -= 1;
            if *count == 0 {
                self.by_origin.remove(&connection.origin);
            }
        }
    }

    /// Ends connections that have waited longest for their clients, of one address, or of those with most connections.
    fn evict_idle(&mut self, of: Option<Origin>) -> bool {
        let mut idle: Vec<_> = self
            .seated
            .values()
            .filter(|connection| of.is_none_or(|of| connection.origin == of))
            .filter_map(|connection| {
                let Idle { since, .. } = connection.idle()?;
                Some((Reverse(self.by_origin[&connection.origin]), since, connection.number))
            })
            .collect();
        let places = of.map_or(self.seated.len(), |of| self.by_origin.get(&of).copied().unwrap_or(0));
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
        let oldest = self
            .reserved
            .values()
            .filter_map(|connection| connection.idle().map(|Idle { since, .. }| (since, connection.number)));
        if let Some((_, number)) = oldest.min() {
            self.evict(number);
        }
    }

    /// Ends the oldest unfinished requests of the address that holds most, until so many bytes are free.
    fn evict_holding(&mut self, mut bytes: usize) {
        let all = || self.seated.values().chain(self.reserved.values());
        let idle = all().filter_map(|connection| Some((connection, connection.idle()?)));
        let mut holding: Vec<_> = idle.filter(|(_, idle)| idle.held > SPARED_HELD_BYTES).collect();
        let mut by_origin: HashMap<Origin, usize> = HashMap::new();
        for (connection, idle) in &holding {
            *by_origin.entry(connection.origin).or_default() += idle.held;
        }
        holding
            .sort_unstable_by_key(|(connection, idle)| (Reverse(by_origin[&connection.origin]), idle.since));
        let mut evicted = Vec::new();
        for (connection, idle) in holding {
            evicted.push(connection.number);
            bytes = bytes.saturating_sub(idle.held);
            if bytes == 0 {
                break;
            }
        }
        for number in evicted {
            self.evict(number);
        }
    }

    fn evict(&mut self, number: u64) {
        let connection = self.seated.get(&number).or_else(|| self.reserved.get(&number));
        if let Some(connection) = connection {
            connection.evict();
        }
        self.remove(number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.1.open).remove(self.0.number);
    }
}

/// How many files the process may have open.
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
        Connections::new(ConnectionLimits { total, per_address })
    }

    fn is_evicted(seat: &Seat) -> bool {
        seat.0.poll_evicted(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_to_come_gets_the_place_of_who_waited_longest_where_most_are() {
        let connections = connections(4, 100);
        let other = connections.admit(B);
        let mut seats = Vec::new();
        for _ in 0..6 {
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            seats.push(connections.admit(A));
        }
        let evicted: Vec<_> = seats.iter().map(is_evicted).collect();
        assert_eq!(evicted, [true, true, true, false, false, false]);
        assert!(!is_evicted(&other) && seats.iter().all(|seat| !seat.0.reserved));
        assert_eq!(lock(&connections.open).seated.len(), 4);
        drop((seats, other));
        let open = lock(&connections.open);
        assert!(open.seated.is_empty() && open.by_origin.is_empty());
    }

    #[tokio::test]
    async fn who_is_being_answered_keeps_the_place_and_others_get_a_reserved_one() {
        let connections = connections(2, 100);
        let seats = [connections.admit(A), connections.admit(A)];
        for seat in &seats {
            seat.0.begin(false);
        }
        let reserved: Vec<_> = (0..=MAX_RESERVED_CONNECTIONS).map(|_| connections.admit(B)).collect();
        assert!(reserved.iter().all(|seat| seat.0.reserved) && !seats.iter().any(is_evicted));
        assert_eq!(reserved.iter().filter(|seat| is_evicted(seat)).count(), 1);
        seats[0].0.end();
        assert!(!connections.admit(B).0.reserved && is_evicted(&seats[0]));
    }

    #[tokio::test]
    async fn an_address_has_so_many_places_but_not_the_machine_itself() {
        let connections = connections(100, 2);
        let seats: Vec<_> = (0..4).map(|_| connections.admit(A)).collect();
        assert_eq!(seats.iter().filter(|seat| is_evicted(seat)).count(), 2);
        let network = |host| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, host, 0, 0, 1));
        let seats: Vec<_> = (0..4).map(|host| connections.admit(network(host))).collect();
        assert_eq!(seats.iter().filter(|seat| is_evicted(seat)).count(), 2);
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let seats: Vec<_> = (0..4).map(|_| connections.admit(address.parse().unwrap())).collect();
            assert!(!seats.iter().any(is_evicted), "{address}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_most_loses_its_oldest_request() {
        let connections = connections(100, 100);
        let honest = connections.admit(B);
        honest.0.begin(true);
        honest.0.received(70_000, false);
        let count = MAX_HELD_BYTES / (1 << 20);
        let mut seats = Vec::new();
        for _ in 0..count {
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            let seat = connections.admit(A);
            seat.0.begin(true);
            seat.0.received(1 << 20, false);
            seats.push(seat);
        }
        let evicted: Vec<_> = seats.iter().map(is_evicted).collect();
        assert!(evicted[0] && evicted[1..].iter().all(|evicted| !evicted) && !is_evicted(&honest));
        seats[1].0.end_body();
        seats[2].0.received(1 << 20, false);
        assert!(!is_evicted(&seats[1]), "its request is being answered");
        assert!(is_evicted(&seats[2]));
        drop((seats, honest));
        assert_eq!(connections.held.load(Ordering::Relaxed), 0);
    }
}
