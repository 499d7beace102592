//! Key pairs in plain text, cached in memory while they are current.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jingku_catalog::{Account, Generation};
use secrecy::SecretString;

use crate::key_limits::KeyRestrictions;
use crate::lock::lock;

/// The most key pairs in the cache.
const CACHED_MAX: usize = 10_000;

/// The key pair of a client.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// Identifies the pair.
    pub public_key: String,
    /// Signs; never printed by `Debug`.
    pub private_key: SecretString,
}

/// The secret of a key pair and its account.
pub struct Credentials {
    /// The public key.
    pub public_key: String,
    /// The account.
    pub account: Account,
    /// The account's revision when they were read, which was during the request or at its generation.
    pub revision: i64,
    /// Checks signatures; never printed by `Debug`.
    pub private_key: SecretString,
    /// What the key may be used for.
    pub limits: KeyRestrictions,
}

type ByPublicKey = HashMap<String, Arc<Credentials>>;

/// Credentials that are valid for one generation of the catalogue.
#[derive(Default)]
pub(crate) struct CredentialsCache(Mutex<(Option<Generation>, ByPublicKey)>);

impl CredentialsCache {
    pub(crate) fn get(&self, public_key: &str, generation: Generation) -> Option<Arc<Credentials>> {
        let cached = lock(&self.0);
        let (known_at, by_public_key) = &*cached;
        by_public_key.get(public_key).filter(|_| *known_at == Some(generation)).cloned()
    }

    pub(crate) fn put(&self, public_key: &str, credentials: Arc<Credentials>, generation: Generation) {
        let mut cached = lock(&self.0);
        let (known_at, by_public_key) = &mut *cached;
        if known_at.replace(generation) != Some(generation) || by_public_key.len() >= CACHED_MAX {
            by_public_key.clear();
        }
        by_public_key.insert(public_key.to_owned(), credentials);
    }
}
