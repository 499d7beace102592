//! Sessions of the web console, and links that start one. The callers hash the secrets.

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

/// The most sessions and links of all accounts together. Another one ends the oldest.
pub const SIGN_INS_MAX: i64 = 100_000;

/// What the secret of a sign-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInKind {
    /// Identifies a browser that is signed in.
    Session,
    /// Starts a session once.
    Link,
    /// Identifies a browser of the operator. It has no key, and the account [`AccountId::PLATFORM`].
    OperatorSession,
    /// Starts a session of the operator once.
    OperatorLink,
}

row! {
    /// A session or a link that has not expired.
    pub struct SignIn {
        /// The key that signed in, perhaps revoked since; empty for the operator.
        pub public_key: String = "s.public_key",
        /// When it was last used, according to [`Catalog::use_session`].
        pub used_at: i64 = "s.used_at",
        /// When it ends.
        pub expires_at: i64 = "s.expires_at",
        /// Whether it is the operator's.
        pub is_operator: bool = "CAST(CASE WHEN s.kind IN ('operator session', 'operator link') THEN 1 ELSE 0 END AS BIGINT)",
    }
}

/// The data of a new session or link.
#[derive(Clone, Copy, Debug)]
pub struct NewSignIn<'a> {
    /// The hash of its secret.
    pub hash: &'a str,
    /// Its kind.
    pub kind: SignInKind,
    /// The key that signed in; empty for the operator.
    pub public_key: &'a str,
    /// The account of the key; [`AccountId::PLATFORM`] for the operator.
    pub account: AccountId,
    /// When it expires.
    pub expires_at: i64,
    /// How many of this kind an account has at most. Another one ends the oldest.
    pub of_account_max: i64,
}

impl SignInKind {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Link => "link",
            // Programs of older versions do not look for these.
            Self::OperatorSession => "operator session",
            Self::OperatorLink => "operator link",
        }
    }
}

impl Catalog {
    /// Adds a session or a link, and removes those that have expired or are too many.
    pub async fn add_sign_in(&self, new: NewSignIn<'_>, now: i64) -> Result<()> {
        let kind = new.kind.name();
        let change = |mut transaction: Transaction| async move {
            // The counter is locked first: concurrent additions see each other's rows.
            let ordinal = transaction.next_ordinal().await?;
            let sql = "INSERT INTO sign_ins
                           (hash, kind, public_key, account_id, ordinal, created_at, used_at, expires_at)
                       VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
            let params = [
                new.hash.into(),
                kind.into(),
                new.public_key.into(),
                new.account.into(),
                ordinal.into(),
                now.into(),
                new.expires_at.into(),
            ];
            transaction.execute(sql, &params).await?;
            transaction.execute("DELETE FROM sign_ins WHERE expires_at <= $1", &[now.into()]).await?;
            let sql = "DELETE FROM sign_ins WHERE account_id = $1 AND kind = $2 AND ordinal <=
                           (SELECT ordinal FROM sign_ins WHERE account_id = $1 AND kind = $2
                            ORDER BY ordinal DESC LIMIT 1 OFFSET $3)";
            let params = [new.account.into(), kind.into(), new.of_account_max.into()];
            transaction.execute(sql, &params).await?;
            let sql = "DELETE FROM sign_ins WHERE ordinal <=
                           (SELECT ordinal FROM sign_ins ORDER BY ordinal DESC LIMIT 1 OFFSET $1)";
            transaction.execute(sql, &[SIGN_INS_MAX.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Returns a session that has not expired.
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<SignIn>> {
        let sql = format!(
            "SELECT {} FROM sign_ins s
             WHERE s.hash = $1 AND s.kind IN ('session', 'operator session') AND s.expires_at > $2",
            SignIn::COLUMNS
        );
        self.database.query(&sql, &[hash.into(), now.into()]).await?.first("sign_ins")
    }

    /// Removes a link. Returns its data if it has not expired; of concurrent calls, on any server, only one gets it.
    pub async fn use_link(&self, hash: &str, now: i64) -> Result<Option<SignIn>> {
        let change = |mut transaction: Transaction| async move {
            // Not `SignIn::COLUMNS`: in SQLite, RETURNING does not know the alias of the table.
            let sql = "DELETE FROM sign_ins
                       WHERE hash = $1 AND kind IN ('link', 'operator link') AND expires_at > $2
                       RETURNING public_key, used_at, expires_at,
                           CAST(CASE kind WHEN 'operator link' THEN 1 ELSE 0 END AS BIGINT)";
            match transaction.query(sql, &[hash.into(), now.into()]).await?.first("sign_ins")? {
                Some(link) => transaction.commit(Some(link)).await,
                None => transaction.discard(None).await,
            }
        };
        self.database.write(change).await
    }

    /// Records that a session is in use.
    pub async fn use_session(&self, hash: &str, now: i64) -> Result<()> {
        let sql = "UPDATE sign_ins SET used_at = $2 WHERE hash = $1 AND used_at < $2";
        self.database.execute(sql, &[hash.into(), now.into()]).await.map(drop)
    }

    /// Ends a session. Succeeds if there is none.
    pub async fn end_session(&self, hash: &str) -> Result<()> {
        let sql = "DELETE FROM sign_ins WHERE hash = $1 AND kind IN ('session', 'operator session')";
        self.database.execute(sql, &[hash.into()]).await.map(drop)
    }

    /// Ends all sessions and links of a key, or of all keys.
    pub async fn end_sign_ins(&self, public_key: Option<&str>) -> Result<()> {
        let (condition, params) = match public_key {
            Some(public_key) => ("WHERE public_key = $1", vec![public_key.into()]),
            None => ("", vec![]),
        };
        let sql = format!("DELETE FROM sign_ins {condition}");
        self.database.execute(&sql, &params).await.map(drop)
    }

    /// Ends all sessions and links of the operator. Returns their number.
    pub async fn end_operator_sign_ins(&self) -> Result<u64> {
        let end = |mut transaction: Transaction| async move {
            let sql = "DELETE FROM sign_ins WHERE kind IN ('operator session', 'operator link')";
            let ended = transaction.execute(sql, &[]).await?;
            transaction.commit(ended).await
        };
        self.database.write(end).await
    }
}
