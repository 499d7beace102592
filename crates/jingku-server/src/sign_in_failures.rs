//! Counts failed sign-ins with key pairs, so that nobody can try many.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use jingku_library::lock;

use crate::error::Error;
use crate::origin::Origin;

/// Failures are counted for this long after the first one.
const FAILURE_COUNT_TIME: Duration = Duration::from_mins(10);
/// After this many failures, an address must wait.
const ADDRESS_FAILURES_MAX: u32 = 10;
/// After this many failures with a public key, from any addresses, each address has one attempt. So the holder of the
/// key can still sign in.
const KEY_FAILURES_MAX: u32 = 30;
/// The most addresses, and the most public keys, with failures that are remembered. The oldest are forgotten.
const FAILURES_KEPT_MAX: usize = 10_000;

/// The recent failures of each address and with each public key, whether it exists or not.
///
/// Clients on the same machine are not limited, because they may be a proxy that speaks for many.
#[derive(Default)]
pub(crate) struct SignInFailures(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    addresses: Counts<Origin>,
    public_keys: Counts<blake3::Hash>,
}

struct Counts<K>(HashMap<K, Count>);

#[derive(Clone, Copy)]
struct Count {
    since: Duration,
    failures: u32,
}

/// A sign-in that counts as failed until it succeeds: otherwise many concurrent ones could pass the check.
pub(crate) struct Attempt {
    origin: Option<Origin>,
    public_key: blake3::Hash,
}

impl SignInFailures {
    /// Counts an attempt, or refuses it. `now` is monotonic.
    pub(crate) fn begin(
        &self,
        address: Option<IpAddr>,
        public_key: &str,
        now: Duration,
    ) -> Result<Attempt, Error> {
        let origin = address.map(Origin::of).filter(|origin| !origin.is_loopback());
        let public_key = blake3::hash(public_key.as_bytes());
        let mut failures = lock(&self.0);
        let of_key = failures.public_keys.get(&public_key, now);
        let of_address = origin.map_or(0, |origin| failures.addresses.get(&origin, now));
        let attempts_max = if of_key < KEY_FAILURES_MAX { ADDRESS_FAILURES_MAX } else { 1 };
        if of_address >= attempts_max {
            return Err(Error::Flood(None));
        }
        failures.public_keys.add(public_key, now);
        if let Some(origin) = origin {
            failures.addresses.add(origin, now);
        }
        Ok(Attempt { origin, public_key })
    }

    /// Counts an attempt no longer: the keys were right, or could not be compared.
    pub(crate) fn take_back(&self, attempt: &Attempt) {
        let mut failures = lock(&self.0);
        failures.public_keys.remove(&attempt.public_key);
        if let Some(origin) = attempt.origin {
            failures.addresses.remove(&origin);
        }
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Counts<K> {
    fn get(&self, key: &K, now: Duration) -> u32 {
        self.0.get(key).filter(|count| count.is_recent(now)).map_or(0, |count| count.failures)
    }

    fn add(&mut self, key: K, now: Duration) {
        if self.0.len() >= FAILURES_KEPT_MAX && !self.0.contains_key(&key) {
            self.0.retain(|_, count| count.is_recent(now));
            if self.0.len() >= FAILURES_KEPT_MAX
                && let Some(oldest) = self.0.iter().min_by_key(|(_, count)| count.since).map(|(key, _)| *key)
            {
                self.0.remove(&oldest);
            }
        }
        let count = self.0.entry(key).or_insert(Count { since: now, failures: 0 });
        if !count.is_recent(now) {
            *count = Count { since: now, failures: 0 };
        }
        count.failures += 1;
    }

    fn remove(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

impl Count {
    fn is_recent(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < FAILURE_COUNT_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(failures: &SignInFailures, address: [u8; 4], key: &str, now: Duration) -> bool {
        failures.begin(Some(address.into()), key, now).is_ok()
    }

    #[test]
    fn a_public_key_leaves_each_address_one_attempt() {
        let (failures, now) = (SignInFailures::default(), Duration::ZERO);
        for host in 0..10 {
            for _ in 0..3 {
                assert!(fails(&failures, [192, 0, 2, host], "key", now));
            }
        }
        assert!(!fails(&failures, [192, 0, 2, 0], "key", now));
        assert!(fails(&failures, [192, 0, 2, 0], "other", now));
        for accepted in [true, false] {
            assert_eq!(fails(&failures, [198, 51, 100, 1], "key", now), accepted);
        }
        // A success is not counted.
        for _ in 0..20 {
            let attempt = failures.begin(Some([203, 0, 113, 1].into()), "key", now).unwrap();
            failures.take_back(&attempt);
        }
        assert!(fails(&failures, [192, 0, 2, 0], "key", now + FAILURE_COUNT_TIME));
    }

    #[test]
    fn memory_is_bounded() {
        let failures = SignInFailures::default();
        for number in 0..u32::try_from(FAILURES_KEPT_MAX).unwrap() + 5 {
            let now = Duration::from_millis(number.into());
            assert!(fails(&failures, number.wrapping_add(1 << 24).to_be_bytes(), &number.to_string(), now));
        }
        let failures = lock(&failures.0);
        let kept = (failures.addresses.0.len(), failures.public_keys.0.len());
        assert_eq!(kept, (FAILURES_KEPT_MAX, FAILURES_KEPT_MAX));
    }

    #[test]
    fn this_machine_is_not_limited() {
        let (failures, now) = (SignInFailures::default(), Duration::ZERO);
        assert!((0..100).all(|_| fails(&failures, [127, 0, 0, 1], "key", now)));
    }
}
