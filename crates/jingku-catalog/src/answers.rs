//! What a request was answered whose repetition would do the same once more, for as long as a client may repeat it.
//!
//! An answer is kept in the transaction of the change, so that there is never one without the other. The transaction
//! holds the row of the account, so that of two equal requests one waits for the other and then finds its answer.

use crate::database::{Cells, Transaction};
use crate::{AccountId, Result};

/// How long the answer to a request is given again, in seconds.
pub const ANSWER_SECS: i64 = 60;
/// How long deleting an image or finishing an upload once more is no error, in seconds.
pub const DELETED_SECS: i64 = 600;
/// The most answers kept for one account; the oldest are forgotten first.
pub const ANSWERS_MAX: i64 = 1000;

/// Returns what a request of an account was answered, unless that is too long ago.
pub(crate) async fn find_answer(
    transaction: &mut Transaction,
    account: AccountId,
    request: &str,
    now: i64,
) -> Result<Option<String>> {
    // An answer from the future was kept before the clock went back: how old it is cannot be told.
    let sql = "SELECT answer FROM answers
               WHERE account_id = $1 AND request = $2 AND expires_at > $3 AND expires_at <= $4";
    let latest = now + DELETED_SECS.max(ANSWER_SECS);
    let params = [account.into(), request.into(), now.into(), latest.into()];
    let row = transaction.query(sql, &params).await?.into_iter().next();
    row.map(|row| row.decode("answers", Cells::text)).transpose()
}

/// What a request was answered.
pub(crate) struct Answer<'a> {
    /// Names the request among those of the account.
    pub(crate) request: &'a str,
    /// What [`find_answer`] returns.
    pub(crate) text: &'a str,
    /// The ordinal of the change.
    pub(crate) ordinal: i64,
    /// How long it is kept, in seconds.
    pub(crate) secs: i64,
}

/// Keeps an answer from `now` on, and forgets the account's old ones.
pub(crate) async fn keep_answer(
    transaction: &mut Transaction,
    account: AccountId,
    answer: Answer<'_>,
    now: i64,
) -> Result<()> {
    let keep =
        "INSERT INTO answers (account_id, request, answer, expires_at, ordinal) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (account_id, request) DO UPDATE SET answer = $3, expires_at = $4, ordinal = $5";
    let (expires_at, ordinal) = (now + answer.secs, answer.ordinal);
    let params =
        [account.into(), answer.request.into(), answer.text.into(), expires_at.into(), ordinal.into()];
    transaction.execute(keep, &params).await?;
    let forget = "DELETE FROM answers WHERE account_id = $1
                  AND (expires_at <= $2 OR ordinal < (SELECT ordinal FROM answers WHERE account_id = $1
                                                      ORDER BY ordinal DESC LIMIT 1 OFFSET $3))";
    let params = [account.into(), now.into(), (ANSWERS_MAX - 1).into()];
    transaction.execute(forget, &params).await.map(drop)
}
