//! The order in which things came to be, whatever the clock said.

use crate::database::{Cells, Transaction};
use crate::{AccountId, CatalogError, Result};

/// Where a new image stands in the lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Its number among the images that its account has had, from 1.
    pub(crate) seq: i64,
    /// Its ordinal among those of all accounts.
    pub(crate) ordinal: i64,
    /// When it is said to be created: now, or when the account's last image was if the clock went back since then, so
    /// that the order by time and the order by number agree.
    pub(crate) create_time: i64,
}

/// Draws the next ordinal. Of two events of a kind, the later has the higher one.
///
/// Holds the counter until the transaction ends. Whatever else a transaction holds it takes before this, so that of two
/// transactions one waits for the other and not each for the other.
pub(crate) async fn next_ordinal(transaction: &mut Transaction) -> Result<i64> {
    let sql = "UPDATE counters SET ordinal = ordinal + 1 RETURNING ordinal";
    let row = transaction.query(sql, &[]).await?.into_iter().next();
    let row = row.ok_or_else(|| CatalogError::Bug("there are no counters".into()))?;
    row.decode("counters", Cells::integer)
}

/// Draws the position of a new image of an account, which must exist.
pub(crate) async fn next_position(
    transaction: &mut Transaction,
    account: AccountId,
    now: i64,
) -> Result<Position> {
    let sql = "UPDATE accounts SET image_seq = image_seq + 1,
                   image_time = CASE WHEN image_time > $2 THEN image_time ELSE $2 END
               WHERE id = $1 RETURNING image_seq, image_time";
    let row = transaction.query(sql, &[account.into(), now.into()]).await?.into_iter().next();
    let row = row.ok_or_else(|| CatalogError::Bug("an image of no account".into()))?;
    let (seq, create_time) = row.decode("accounts", |cells| Ok((cells.integer()?, cells.integer()?)))?;
    Ok(Position { seq, ordinal: next_ordinal(transaction).await?, create_time })
}
