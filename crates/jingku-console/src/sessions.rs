//! The session of a browser, and the token in its forms.

use blake3::derive_key;
use jingku_server::{Context, Identity, Refusal};

/// A signed-in browser.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    /// Is in every form of the session. Other sites cannot read it.
    pub(crate) form_token: String,
}

impl Session {
    /// The session of a secret; `None` if it has ended.
    pub(crate) async fn open(context: &Context, secret: &str) -> Result<Option<Self>, Refusal> {
        let identity = context.session(secret).await?;
        // Every server derives the same token, and the secret cannot be derived from it.
        let form_token = || hex::encode(derive_key("Jingku console 2026 form token", secret.as_bytes()));
        Ok(identity.map(|identity| Self { identity, form_token: form_token() }))
    }
}

/// Compares secrets in constant time, as `blake3::Hash` does.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}
