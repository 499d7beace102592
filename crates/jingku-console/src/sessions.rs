//! The session of a browser, and the token in its forms.

use blake3::derive_key;
use jingku_server::{Context, Identity, Refusal, SignedIn};

/// A browser that is signed in with a key.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    /// Is in every form of the session. Other sites cannot read it.
    pub(crate) form_token: String,
}

/// Who has the session of a secret, and the token of its forms; `None` if it has ended.
pub(crate) async fn open(context: &Context, secret: &str) -> Result<Option<(SignedIn, String)>, Refusal> {
    let who = context.session(secret).await?;
    // Every server derives the same token, and the secret cannot be derived from it.
    let form_token = || hex::encode(derive_key("Jingku console 2026 form token", secret.as_bytes()));
    Ok(who.map(|who| (who, form_token())))
}

/// Compares secrets in constant time, as `blake3::Hash` does.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}
