//! Finds the account that signs with a public key.

use std::sync::Arc;

use jingku_catalog::Generation;
use jingku_protocol::MAX_ID_BYTES;

use crate::credentials::Credentials;
use crate::error::Internal;
use crate::key_limits::KeyRestrictions;
use crate::library::Library;

impl Library {
    /// The credentials of a public key that exists and is not revoked, read at `generation` or later.
    pub async fn credentials(
        &self,
        public_key: &str,
        generation: Option<Generation>,
    ) -> Result<Option<Arc<Credentials>>, Internal> {
        // No public key is longer.
        if public_key.len() > MAX_ID_BYTES {
            return Ok(None);
        }
        if let Some(hit) =
            generation.and_then(|generation| self.credentials_cache.get(public_key, generation))
        {
            return Ok(Some(hit));
        }
        let found = self.catalog.find_key(public_key).await?;
        let Some((key, account, revision)) = found.filter(|(key, ..)| key.revoked_at.is_none()) else {
            return Ok(None);
        };
        let private_key = self.keyring().open(public_key, &key.sealed_private_key)?;
        let limits = KeyRestrictions::read(&key)?;
        let credentials =
            Arc::new(Credentials { public_key: key.public_key, account, revision, private_key, limits });
        if let Some(generation) = generation {
            self.credentials_cache.put(public_key, Arc::clone(&credentials), generation);
        }
        Ok(Some(credentials))
    }
}
