//! Sequence numbers, which order events independently of the clock.

use crate::database::Transaction;
use crate::{AccountId, CatalogError, Result};

/// The position of a new image in lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Its number among all images its account ever had, from 1.
    pub(crate) seq: i64,
    pub(crate) ordinal: i64,
    /// The current time, or that of the account's last image if the clock was set back: order by time and by number agree.
    pub(crate) create_time: i64,
    /// The account's revision, which the transaction has increased.
    pub(crate) revision: i64,
}

impl Transaction {
    /// Draws the next ordinal: of two events of a kind, the later has the higher one.
    ///
    /// Locks the counter until the transaction ends. Take all other locks first, to prevent deadlocks.
    pub(crate) async fn next_ordinal(&mut self) -> Result<i64> {
        let sql = "UPDATE counters SET ordinal = ordinal + 1 RETURNING ordinal";
        let ordinal = self.query(sql, &[]).await?.first("counters")?;
        ordinal.ok_or_else(|| CatalogError::Bug("there are no counters".into()))
    }

    /// Draws the position of a new image of an account, which must exist.
    pub(crate) async fn next_position(&mut self, account: AccountId, now: i64) -> Result<Position> {
        let sql = "UPDATE accounts SET image_seq = image_seq + 1,
                       image_time = CASE WHEN image_time > $2 THEN image_time ELSE $2 END
                   WHERE id = $1 RETURNING id, image_seq, image_time, revision";
        let rows = self.query(sql, &[account.into(), now.into()]).await?;
        let (_, seq, create_time, revision): (AccountId, i64, i64, i64) =
            rows.first("accounts")?.ok_or_else(|| CatalogError::Bug("an image of no account".into()))?;
        Ok(Position { seq, ordinal: self.next_ordinal().await?, create_time, revision })
    }
}
