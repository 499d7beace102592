//! Stored answers of requests, which make repeated requests idempotent.
//!
//! An answer is stored in the transaction of its change. The transaction locks the account's row, so the second of two
//! concurrent equal requests waits and then finds the answer of the first.

use crate::database::Transaction;
use crate::{AccountId, Result};

/// How long the answer to a request is stored, in seconds.
pub const ANSWER_SECS: i64 = 60;
/// How long deleting an image or finishing an upload again is not an error, in seconds.
pub const DELETED_SECS: i64 = 600;
/// The most answers stored for one account; the oldest are removed first.
pub const ANSWERS_MAX: i64 = 1000;

impl Transaction {
    /// Returns the stored answer to a request of an account, if any, unless it has expired.
    pub(crate) async fn find_answer(
        &mut self,
        account: AccountId,
        request: Option<&str>,
        now: i64,
    ) -> Result<Option<String>> {
        // An answer from the future was stored before the clock was set back: its age is unknown.
        let sql = "SELECT answer FROM answers
                   WHERE account_id = $1 AND request = $2 AND expires_at > $3 AND expires_at <= $4";
        let latest = now + DELETED_SECS.max(ANSWER_SECS);
        let params = [account.into(), request.into(), now.into(), latest.into()];
        self.query(sql, &params).await?.first("answers")
    }

    /// Stores an answer and removes the account's old ones.
    pub(crate) async fn store_answer(
        &mut self,
        account: AccountId,
        answer: Answer<'_>,
        now: i64,
    ) -> Result<()> {
        let store =
            "INSERT INTO answers (account_id, request, answer, expires_at, ordinal) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id, request) DO UPDATE SET answer = $3, expires_at = $4, ordinal = $5";
        let Answer { request, text, ordinal, secs } = answer;
        let params = [account.into(), request.into(), text.into(), (now + secs).into(), ordinal.into()];
        self.execute(store, &params).await?;
        let expire = "DELETE FROM answers WHERE account_id = $1
                      AND (expires_at <= $2 OR ordinal < (SELECT ordinal FROM answers WHERE account_id = $1
                                                          ORDER BY ordinal DESC LIMIT 1 OFFSET $3))";
        let params = [account.into(), now.into(), (ANSWERS_MAX - 1).into()];
        self.execute(expire, &params).await.map(drop)
    }
}

pub(crate) struct Answer<'a> {
    /// Identifies the request within the account.
    pub(crate) request: &'a str,
    pub(crate) text: &'a str,
    pub(crate) ordinal: i64,
    /// How long it is stored, in seconds.
    pub(crate) secs: i64,
}
