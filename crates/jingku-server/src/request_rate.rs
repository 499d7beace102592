//! Limits of requests per second, of an account and of an address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jingku_catalog::AccountId;
use jingku_library::RequestLimits;

use crate::error::Error;
use crate::origin::Origin;

/// After this many requests, accounts and addresses without recent requests are forgotten.
const FORGET_INTERVAL: u32 = 4096;
/// How many seconds' requests may come at once.
const BURST_SECS: u32 = 2;

/// Marks the response to a client that sends too many requests, and the next request on its connection: the account that
/// the next request is counted for before it is read, if a request on the connection was refused because of the account.
///
/// To refuse a request so costs little. A signed request was refused for each, so nobody else can use up the account's
/// limit.
#[derive(Clone, Copy)]
pub(crate) struct Flood(pub(crate) Option<AccountId>);

/// The recent requests of each account and of each address.
///
/// Clients on the same machine are not limited, because they may be a proxy that speaks for many; with a trusted proxy,
/// the address is that of the client.
pub(crate) struct RequestRates {
    accounts: Option<Rate<AccountId>>,
    addresses: Option<Rate<Origin>>,
}

struct Rate<K: std::hash::Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

impl RequestRates {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self { accounts: Rate::new(limits.per_account), addresses: Rate::new(limits.per_address) }
    }

    /// Counts a request from an address, if it is known.
    pub(crate) fn check_address(&self, address: Option<IpAddr>) -> Result<(), Error> {
        match address.map(Origin::of).filter(|origin| !origin.is_loopback()) {
            Some(origin) => check(self.addresses.as_ref(), &origin, None),
            None => Ok(()),
        }
    }

    /// Counts a request for the account that the connection is known by, if there is one.
    pub(crate) fn check_counted(
        &self,
        account: Option<AccountId>,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        account.map_or(Ok(()), |account| self.check_account(account, address))
    }

    /// Counts a signed request of an account.
    pub(crate) fn check_account(&self, account: AccountId, address: Option<IpAddr>) -> Result<(), Error> {
        let is_local = address.is_none_or(|address| Origin::of(address).is_loopback());
        if is_local { Ok(()) } else { check(self.accounts.as_ref(), &account, Some(account)) }
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(
    rate: Option<&Rate<K>>,
    key: &K,
    account: Option<AccountId>,
) -> Result<(), Error> {
    let Some(rate) = rate else { return Ok(()) };
    if rate.checks.fetch_add(1, Ordering::Relaxed) % FORGET_INTERVAL == 0 {
        rate.limiter.retain_recent();
    }
    rate.limiter.check_key(key).map_err(|_| Error::Flood(account))
}

impl<K: std::hash::Hash + Eq + Clone> Rate<K> {
    /// `None` without a limit.
    fn new(per_second: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let burst = per_second.saturating_mul(NonZeroU32::new(BURST_SECS).expect("it is not 0"));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Some(Self { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_and_account_has_its_own_limit_and_loopback_has_none() {
        let rates = RequestRates::new(RequestLimits { per_account: 1, per_address: 2 });
        let [a, b] = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().ok());
        let allowed = |address| (0..100).take_while(|_| rates.check_address(address).is_ok()).count();
        assert_eq!((allowed(a), allowed(b), allowed(None)), (4, 4, 100));
        // Another address of the same network.
        assert_eq!(allowed("2001:db8::2".parse().ok()), 0);
        assert_eq!(allowed("127.0.0.1".parse().ok()), 100);
        let allowed = |account, address| {
            let check = |_: &u32| rates.check_account(AccountId(account), address).is_ok();
            (0..100).take_while(check).count()
        };
        assert_eq!((allowed(1, a), allowed(1, b), allowed(2, b)), (2, 0, 2));
        assert_eq!(allowed(1, "::1".parse().ok()), 100);
        let none = RequestRates::new(RequestLimits { per_account: 0, per_address: 0 });
        assert!((0..100).all(|_| none.check_address(a).is_ok()));
    }
}
