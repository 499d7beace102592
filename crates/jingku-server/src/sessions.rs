//! Browsers that are signed in to the web console, and links that sign in once.
//!
//! They are in the catalogue, as hashes of their secrets: they survive a restart, and every server that shares the
//! catalogue knows them.

use std::net::IpAddr;

use blake3::Hash;
use jingku_catalog::{AccountId, Catalog, NewSignIn, SignIn, SignInKind};
use jingku_library::{hash_secret as hash, new_secret};

use crate::context::Context;
use crate::error::Error;
use crate::identity::{Identity, Refusal};
use crate::operator::Operator;

/// A session ends so many seconds after the sign-in, whatever happens in it: 12 hours.
pub const SESSION_SECS_MAX: i64 = 12 * 3600;
/// A session ends when no page was requested for so many seconds: 4 hours.
const SESSION_IDLE_SECS_MAX: i64 = 4 * 3600;
/// How long a link is valid, in seconds.
const LINK_SECS_MAX: i64 = 300;
/// Maximum number of sessions of an account. Another sign-in ends the oldest.
const MAX_SESSIONS: i64 = 8;
/// Maximum number of unused links of an account. Another link replaces the oldest.
const MAX_LINKS: i64 = 4;
/// How often the last use of a session is stored, in seconds. Each time is a change of the catalogue.
const USE_SECS_MIN: i64 = 300;

/// Who is signed in.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// The holder of a key pair.
    Holder(Identity),
    /// The operator, who has no account.
    Operator(Operator),
}

impl Context {
    /// Starts a session. Returns its secret.
    pub async fn start_session(&self, who: &SignedIn, peer: Option<IpAddr>) -> Result<String, Refusal> {
        let started = async {
            match who {
                SignedIn::Holder(identity) => {
                    let kind = SignInKind::Session;
                    Ok(self.add_sign_in(identity, kind, SESSION_SECS_MAX, MAX_SESSIONS).await?.0)
                }
                SignedIn::Operator(operator) => {
                    let expires_at = self.library.clock.now() + SESSION_SECS_MAX;
                    Ok(operator.change(peer, self.library.start_operator_session(expires_at)).await?)
                }
            }
        };
        started.await.map_err(|error| self.refuse(&error, None))
    }

    /// Creates a link. Returns its secret and when it expires.
    pub async fn create_link(&self, identity: &Identity) -> Result<(String, i64), Refusal> {
        let added = self.add_sign_in(identity, SignInKind::Link, LINK_SECS_MAX, MAX_LINKS).await;
        added.map_err(|error| self.refuse(&error, None))
    }

    /// Returns who is signed in; `None` if the session or its key is no longer valid.
    pub async fn session(&self, secret: &str) -> Result<Option<SignedIn>, Refusal> {
        let (hash, now) = (hash(secret), self.library.clock.now());
        let found = async {
            let sign_ins = self.sign_ins().await?;
            let session = self.find_session(sign_ins, hash, now).await?;
            let Some(session) = session.filter(|session| now - session.used_at < SESSION_IDLE_SECS_MAX)
            else {
                return Ok(None);
            };
            if now - session.used_at >= USE_SECS_MIN
                && let Err(error) = sign_ins.use_session(&hash.to_hex(), now).await
            {
                // The page can still be shown.
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "cannot store the last use of a session");
            }
            self.signed_in(session).await
        };
        found.await.map_err(|error| self.refuse(&error, None))
    }

    /// Returns a session that has not expired, from memory if nothing has changed since it was read.
    async fn find_session(&self, sign_ins: &Catalog, hash: Hash, now: i64) -> Result<Option<SignIn>, Error> {
        let generation = sign_ins.generation();
        if let Some(known) = generation.and_then(|generation| self.sessions.get(&hash, generation)) {
            return Ok(Some(known).filter(|session| now < session.expires_at));
        }
        let session = sign_ins.session(&hash.to_hex(), now).await?;
        if let (Some(session), Some(generation)) = (&session, generation) {
            self.sessions.put(hash, session.clone(), generation);
        }
        Ok(session)
    }

    /// Uses a link up. Returns who has created it; `None` if it or its key is not valid. Of concurrent calls, on any
    /// server, only one succeeds.
    pub async fn use_link(&self, secret: &str, peer: Option<IpAddr>) -> Result<Option<SignedIn>, Refusal> {
        let used = async {
            self.rates.check_address(peer)?;
            let hash = hash(secret).to_hex();
            match self.sign_ins().await?.use_link(&hash, self.library.clock.now()).await? {
                Some(link) => self.signed_in(link).await,
                None => Ok(None),
            }
        };
        used.await.map_err(|error| self.refuse(&error, None))
    }

    /// Ends a session. Succeeds if there is none.
    pub async fn end_session(&self, secret: &str) -> Result<(), Refusal> {
        let ended = async { Ok(self.sign_ins().await?.end_session(&hash(secret).to_hex()).await?) };
        ended.await.map_err(|error| self.refuse(&error, None))
    }

    /// Ends all sessions and links of a key, or those of the operator.
    pub async fn end_sessions(&self, who: &SignedIn, peer: Option<IpAddr>) -> Result<(), Refusal> {
        let ended = async {
            match who {
                SignedIn::Holder(identity) => {
                    Ok(self.sign_ins().await?.end_sign_ins(Some(identity.public_key())).await?)
                }
                SignedIn::Operator(operator) => {
                    Ok(operator.change(peer, self.library.end_operator_sign_ins()).await.map(drop)?)
                }
            }
        };
        ended.await.map_err(|error| self.refuse(&error, None))
    }

    async fn signed_in(&self, sign_in: SignIn) -> Result<Option<SignedIn>, Error> {
        if sign_in.is_operator {
            return Ok(Some(SignedIn::Operator(Operator::of_sign_in())));
        }
        Ok(self.holder(&sign_in.public_key).await?.map(SignedIn::Holder))
    }

    async fn add_sign_in(
        &self,
        identity: &Identity,
        kind: SignInKind,
        secs_max: i64,
        of_account_max: i64,
    ) -> Result<(String, i64), Error> {
        let (secret, now) = (new_secret(&*self.library.random), self.library.clock.now());
        let new = NewSignIn {
            hash: &hash(&secret).to_hex(),
            kind,
            public_key: identity.public_key(),
            account: AccountId(identity.account_id()),
            expires_at: now + secs_max,
            of_account_max,
        };
        self.sign_ins().await?.add_sign_in(new, now).await?;
        Ok((secret, new.expires_at))
    }

    /// The catalogue that has the sessions. That of a read-only library accepts no change, so they are in memory.
    async fn sign_ins(&self) -> Result<&Catalog, Error> {
        let open = || async {
            if self.library.is_read_only() {
                Catalog::open_sqlite_in_memory().await
            } else {
                Ok(self.library.catalog.clone())
            }
        };
        Ok(self.sign_ins.get_or_try_init(open).await?)
    }
}
