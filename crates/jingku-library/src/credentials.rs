//! Key pairs in clear: how they are looked up for a request, and kept in memory while they are current.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jingku_catalog::{Account, Generation};
use jingku_protocol::MAX_ID_BYTES;
use secrecy::SecretString;

use crate::error::Internal;
use crate::key_limits::Limits;
use crate::library::Library;
use crate::lock::lock;

/// The most key pairs kept in memory.
const CACHED_MAX: usize = 10_000;

/// What a client signs with.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// Names the pair.
    pub public_key: String,
    /// Signs; never printed by `Debug`.
    pub private_key: SecretString,
}

/// A key pair's secret half, and whose it is.
pub struct Credentials {
    /// Whose it is.
    pub account: Account,
    /// Checks signatures; never printed by `Debug`.
    pub private_key: SecretString,
    /// What the pair is good for.
    pub limits: Limits,
}

/// Credentials that are current while the catalogue's generation stands.
#[derive(Default)]
pub(crate) struct CredentialsCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    generation: Option<Generation>,
    by_public_key: HashMap<String, Arc<Credentials>>,
}

impl CredentialsCache {
    fn get(&self, public_key: &str, generation: Generation) -> Option<Arc<Credentials>> {
        let cached = lock(&self.0);
        if cached.generation == Some(generation) {
            cached.by_public_key.get(public_key).cloned()
        } else {
            None
        }
    }

    fn put(&self, public_key: &str, credentials: Arc<Credentials>, generation: Generation) {
        let mut cached = lock(&self.0);
        if cached.generation != Some(generation) || cached.by_public_key.len() >= CACHED_MAX {
            cached.by_public_key.clear();
            cached.generation = Some(generation);
        }
        cached.by_public_key.insert(public_key.to_owned(), credentials);
    }
}

impl Library {
    /// The credentials behind a public key that is known and not revoked, at `generation` or later.
    pub async fn credentials(
        &self,
        public_key: &str,
        generation: Option<Generation>,
    ) -> Result<Option<Arc<Credentials>>, Internal> {
        // None is longer, so nothing of this length is worth a look.
        if public_key.len() > MAX_ID_BYTES {
            return Ok(None);
        }
        if let Some(hit) =
            generation.and_then(|generation| self.credentials_cache.get(public_key, generation))
        {
            return Ok(Some(hit));
        }
        let found = self.catalog.find_key(public_key).await?;
        let Some((key, account)) = found.filter(|(key, _)| key.revoked_at.is_none()) else { return Ok(None) };
        let private_key = self.keyring().open(public_key, &key.sealed_private_key)?;
        let limits = Limits::read(&key)?;
        let credentials = Arc::new(Credentials { account, private_key, limits });
        if let Some(generation) = generation {
            self.credentials_cache.put(public_key, Arc::clone(&credentials), generation);
        }
        Ok(Some(credentials))
    }
}
