//! How the operator signs in to the web console: a command writes a link to the catalogue, which shows that its user has
//! access to that. Nothing that arrives over the network creates one.

use jingku_catalog::{AccountId, CatalogError, NewSignIn, SignInKind};

use crate::audit::Change;
use crate::error::LibraryError;
use crate::library::Library;
use crate::random::{hash_secret, new_secret};

/// How long a link of the operator is valid, in seconds.
const OPERATOR_LINK_SECS_MAX: i64 = 300;
/// Maximum number of unused links of the operator. Another link replaces the oldest.
const MAX_OPERATOR_LINKS: i64 = 4;
/// Maximum number of sessions of the operator. Another sign-in ends the oldest.
const MAX_OPERATOR_SESSIONS: i64 = 8;

impl Library {
    /// Creates a link that signs the operator in once. Returns its secret and when it expires.
    pub async fn create_operator_link(&self) -> Result<(String, i64), LibraryError> {
        let (kind, expires_at) = (SignInKind::OperatorLink, self.clock.now() + OPERATOR_LINK_SECS_MAX);
        let secret =
            self.add_operator_sign_in("console operator", kind, expires_at, MAX_OPERATOR_LINKS).await?;
        Ok((secret, expires_at))
    }

    /// Starts a session of the operator, who has used a link. Returns its secret.
    pub async fn start_operator_session(&self, expires_at: i64) -> Result<String, CatalogError> {
        let kind = SignInKind::OperatorSession;
        self.add_operator_sign_in("operator sign-in", kind, expires_at, MAX_OPERATOR_SESSIONS).await
    }

    /// Ends all sessions and links of the operator. Returns their number.
    pub async fn end_operator_sign_ins(&self) -> Result<u64, CatalogError> {
        let change = Change::command("operator sign-out", AccountId::PLATFORM, "");
        self.audited(change, self.catalog.end_operator_sign_ins()).await
    }

    async fn add_operator_sign_in(
        &self,
        action: &str,
        kind: SignInKind,
        expires_at: i64,
        of_account_max: i64,
    ) -> Result<String, CatalogError> {
        let secret = new_secret(&*self.random);
        let account = AccountId::PLATFORM;
        let hash = hash_secret(&secret).to_hex();
        let new = NewSignIn { hash: &hash, kind, public_key: "", account, expires_at, of_account_max };
        let add = self.catalog.add_sign_in(new, self.clock.now());
        self.audited(Change::command(action, account, ""), add).await?;
        Ok(secret)
    }
}
