//! Who is signed in, and the links that sign in once. Both are in memory: a restart ends them.
//!
//! Secrets are kept as hashes, so that looking one up does not depend on how much of it is right.

use std::collections::HashMap;
use std::sync::Mutex;

use blake3::Hash;
use jingku_library::{Clock, Random, lock};
use jingku_server::Identity;

/// A session ends so many seconds after the sign-in, whatever happens in it: 12 hours.
pub(crate) const SESSION_SECS_MAX: i64 = 12 * 3600;
/// How long a link is valid, in seconds.
pub(crate) const LINK_SECS_MAX: i64 = 300;
/// Maximum number of sessions of an account. Another sign-in ends the oldest.
const MAX_SESSIONS: usize = 8;
/// Maximum number of unused links of an account. Another link replaces the oldest.
const MAX_LINKS: usize = 4;

/// A signed-in browser.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    /// Is in every form of the session. Other sites cannot read it.
    pub(crate) form_token: String,
}

/// Something that belongs to an account until it ends.
struct Entry<T> {
    value: T,
    account: i64,
    ends_at: i64,
    /// The order of creation.
    number: u64,
}

/// Entries by the hash of their secret.
struct Entries<T> {
    by_hash: HashMap<Hash, Entry<T>>,
    created: u64,
}

pub(crate) struct Sessions {
    sessions: Mutex<Entries<Session>>,
    links: Mutex<Entries<Identity>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { sessions: Mutex::new(Entries::new()), links: Mutex::new(Entries::new()) }
    }

    /// Starts a session. Returns its secret.
    pub(crate) fn start(&self, identity: Identity, clock: &dyn Clock, random: &dyn Random) -> String {
        let (secret, now, account) = (secret(random), clock.now(), identity.account_id());
        let session = Session { identity, form_token: self::secret(random) };
        let mut sessions = lock(&self.sessions);
        sessions.insert(&secret, session, account, now, now + SESSION_SECS_MAX, MAX_SESSIONS);
        secret
    }

    pub(crate) fn get(&self, secret: &str, now: i64) -> Option<Session> {
        let sessions = lock(&self.sessions);
        let entry = sessions.by_hash.get(&blake3::hash(secret.as_bytes()))?;
        (now < entry.ends_at).then(|| entry.value.clone())
    }

    pub(crate) fn end(&self, secret: &str) {
        lock(&self.sessions).by_hash.remove(&blake3::hash(secret.as_bytes()));
    }

    /// Creates a link. Returns its secret and when it expires.
    pub(crate) fn create_link(&self, identity: Identity, now: i64, random: &dyn Random) -> (String, i64) {
        let (secret, account, ends_at) = (secret(random), identity.account_id(), now + LINK_SECS_MAX);
        lock(&self.links).insert(&secret, identity, account, now, ends_at, MAX_LINKS);
        (secret, ends_at)
    }

    /// Uses a link up.
    pub(crate) fn use_link(&self, secret: &str, now: i64) -> Option<Identity> {
        let entry = lock(&self.links).by_hash.remove(&blake3::hash(secret.as_bytes()))?;
        (now < entry.ends_at).then_some(entry.value)
    }
}

impl<T> Entries<T> {
    fn new() -> Self {
        Self { by_hash: HashMap::new(), created: 0 }
    }

    /// Adds an entry. Drops those that have ended, and the oldest ones beyond the account's maximum.
    fn insert(&mut self, secret: &str, value: T, account: i64, now: i64, ends_at: i64, max: usize) {
        self.by_hash.retain(|_, entry| now < entry.ends_at);
        let of_account = self.by_hash.iter().filter(|(_, entry)| entry.account == account);
        let mut of_account: Vec<_> = of_account.map(|(hash, entry)| (entry.number, *hash)).collect();
        of_account.sort_unstable_by_key(|(number, _)| *number);
        for (_, hash) in of_account.iter().rev().skip(max - 1) {
            self.by_hash.remove(hash);
        }
        self.created += 1;
        let number = self.created;
        self.by_hash.insert(blake3::hash(secret.as_bytes()), Entry { value, account, ends_at, number });
    }
}

/// A random text of 256 bits.
pub(crate) fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// Compares secrets in constant time, as `blake3::Hash` does.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_keeps_its_newest_entries_until_they_end() {
        let mut entries = Entries::new();
        for number in 0..5 {
            entries.insert(&number.to_string(), number, 1, 0, 10, 3);
        }
        entries.insert("other", 9, 2, 0, 20, 3);
        let values = |entries: &Entries<i32>| {
            let mut values: Vec<_> = entries.by_hash.values().map(|entry| entry.value).collect();
            values.sort_unstable();
            values
        };
        assert_eq!(values(&entries), [2, 3, 4, 9]);
        entries.insert("late", 5, 3, 10, 30, 3);
        assert_eq!(values(&entries), [5, 9]);
    }
}
