//! Sessions in memory while they are current: a page needs no query for its session.

use std::collections::HashMap;
use std::sync::Mutex;

use blake3::Hash;
use jingku_catalog::{Generation, SignIn};
use jingku_library::lock;

/// Maximum number of sessions in memory.
const CACHED_SESSIONS_MAX: usize = 10_000;

/// Sessions by the hash of their secret, as they are in one generation of the catalogue.
#[derive(Default)]
pub(crate) struct SessionCache(Mutex<(Option<Generation>, HashMap<Hash, SignIn>)>);

impl SessionCache {
    pub(crate) fn get(&self, hash: &Hash, generation: Generation) -> Option<SignIn> {
        let cached = lock(&self.0);
        let (known_at, sessions) = &*cached;
        sessions.get(hash).filter(|_| *known_at == Some(generation)).cloned()
    }

    /// Remembers a session that was read at this generation or later.
    pub(crate) fn put(&self, hash: Hash, session: SignIn, generation: Generation) {
        let mut cached = lock(&self.0);
        let (known_at, sessions) = &mut *cached;
        if known_at.replace(generation) != Some(generation) || sessions.len() >= CACHED_SESSIONS_MAX {
            sessions.clear();
        }
        sessions.insert(hash, session);
    }
}
