use crate::accounts::bump_revision;
use crate::cursor::{Column, Cursor, InvalidCursor, Order, SortValue};
use crate::database::{Cells, Params, Transaction};
use crate::images::{COLUMNS, image_cells};
use crate::ordinals::next_ordinal;
use crate::{AccountId, Catalog, Image, Page, Paging, Result, Scope};

/// What came of [`Catalog::add_favorite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddFavorite {
    /// The account favours the group, perhaps for a while already.
    Favored,
    /// Nobody can see such a group.
    NotFound,
}

/// What came of [`Catalog::remove_favorite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveFavorite {
    /// The account does not favour the group, perhaps did not before.
    Removed,
    /// Nobody can see such a group, nor did the account favour it.
    NotFound,
}

/// A favourite of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Favorite {
    /// The newest public version of the group.
    pub image: Image,
    /// Its place among the favourites of the account, the last marked highest.
    pub ordinal: i64,
}

impl Favorite {
    const ORDER: Order = Order {
        name: "favourites",
        columns: &[Column::Integer("f.ordinal")],
        legacy: &[Column::Integer("f.created_at"), Column::Text("f.group_id")],
        ascending: false,
    };

    /// The place in a list of favourites that a token stands for.
    pub fn cursor(token: &str) -> std::result::Result<Cursor, InvalidCursor> {
        Self::ORDER.parse(token)
    }

    fn position(&self) -> Vec<SortValue> {
        vec![self.ordinal.into()]
    }
}

impl Catalog {
    /// Marks a group with a public version as a favourite of the account.
    pub async fn add_favorite(&self, account: AccountId, group: &str, now: i64) -> Result<AddFavorite> {
        let Some(owner) = self.owner_of_group(account, group).await? else {
            return Ok(AddFavorite::NotFound);
        };
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, owner).await?;
                if !is_public(&mut transaction, group).await? {
                    return transaction.discard(AddFavorite::NotFound).await;
                }
                if !mark(&mut transaction, account, group, now).await? {
                    return transaction.discard(AddFavorite::Favored).await;
                }
                count(&mut transaction, group, 1).await?;
                transaction.commit(AddFavorite::Favored).await
            })
            .await
    }

    /// Takes the mark away. A group that was taken down meanwhile can be unmarked too, once.
    pub async fn remove_favorite(&self, account: AccountId, group: &str) -> Result<RemoveFavorite> {
        let Some(owner) = self.owner_of_group(account, group).await? else {
            return Ok(RemoveFavorite::NotFound);
        };
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, owner).await?;
                let sql = "DELETE FROM favorites WHERE account_id = $1 AND group_id = $2";
                if transaction.execute(sql, &[account.into(), group.into()]).await? > 0 {
                    count(&mut transaction, group, -1).await?;
                    return transaction.commit(RemoveFavorite::Removed).await;
                }
                let public = is_public(&mut transaction, group).await?;
                let outcome = if public { RemoveFavorite::Removed } else { RemoveFavorite::NotFound };
                transaction.discard(outcome).await
            })
            .await
    }

    /// Returns the group that a public image is a version of.
    pub async fn group_of_image(&self, image_id: &str) -> Result<Option<String>> {
        let scope = Scope::published();
        let sql = format!("SELECT i.group_id FROM images i WHERE {} AND i.id = $2", scope.images());
        let rows = self.database.query(&sql, &[scope.param(), image_id.into()]).await?;
        rows.into_iter().next().map(|row| row.decode("images", Cells::text)).transpose()
    }

    /// Returns the newest public version of each group that the account favours, the favourite marked last first.
    ///
    /// Groups without a public version, or without one in these zones, are as if they were not marked.
    pub async fn favorites_page(
        &self,
        account: AccountId,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Page<Favorite>> {
        if zones.is_some_and(<[_]>::is_empty) {
            return Ok(Page::empty());
        }
        let scope = Scope::published();
        let mut params = Params::default();
        // `Scope::images` calls it $1.
        params.add(scope.param());
        let (owner, account) = (account, params.add(account));
        let held =
            zones.map(|zones| format!(" AND i.zone IN ({})", params.add_all(zones))).unwrap_or_default();
        let versions = format!(
            "FROM images i WHERE {} AND i.group_id = f.group_id AND i.group_id <> ''{held}",
            scope.images()
        );
        let seen = format!("f.account_id = {account} AND EXISTS (SELECT 1 {versions})");
        let after = paging.after(&Favorite::ORDER, &mut params);
        let sql = format!(
            "SELECT {COLUMNS}, '', k.ordinal, t.total
             FROM (SELECT COUNT(*) AS total FROM favorites f WHERE {seen}) t
             LEFT JOIN (SELECT f.ordinal,
                               (SELECT i.id {versions}
                                ORDER BY i.submitted_ordinal DESC, i.ordinal DESC LIMIT 1) AS image_id
                        FROM favorites f WHERE {seen}{after} {} LIMIT {} OFFSET {}) k ON TRUE
             LEFT JOIN images i ON i.id = k.image_id
             LEFT JOIN accounts a ON a.id = i.account_id
             ORDER BY k.ordinal DESC",
            Favorite::ORDER.clause(),
            params.add(i64::from(paging.limit()) + 1),
            params.add(i64::from(paging.offset())),
        );
        let rows = self.database.scan(owner, &sql, params.as_slice()).await?;
        let read = |cells: &mut Cells| Ok(Favorite { image: image_cells(cells)?, ordinal: cells.integer()? });
        Page::decode_sorted(rows, "images", paging.limit(), &Favorite::ORDER, read, Favorite::position)
    }

    /// Whose a group is, which never changes, if the account may know of it: it has a public version, or the account
    /// marked it when it had one. Of all others it learns as much, and as fast, as of a group that never was.
    async fn owner_of_group(&self, account: AccountId, id: &str) -> Result<Option<AccountId>> {
        let scope = Scope::published();
        let sql = format!(
            "SELECT g.account_id FROM image_groups g
             WHERE g.id = $2
               AND (EXISTS (SELECT 1 FROM images i WHERE {} AND i.group_id = g.id)
                    OR EXISTS (SELECT 1 FROM favorites f WHERE f.account_id = $3 AND f.group_id = g.id))",
            scope.images()
        );
        let rows = self.database.query(&sql, &[scope.param(), id.into(), account.into()]).await?;
        rows.into_iter()
            .next()
            .map(|row| row.decode("image_groups", Cells::integer).map(AccountId))
            .transpose()
    }
}

/// Marks a group for accounts that have not marked it, be it public or not.
pub(crate) async fn seed_favorites(
    transaction: &mut Transaction,
    group: &str,
    accounts: &[AccountId],
    now: i64,
) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    for account in accounts {
        mark(transaction, *account, group, now).await?;
    }
    count(transaction, group, i64::try_from(accounts.len()).unwrap_or(i64::MAX)).await
}

/// Says whether the account had not marked the group before.
async fn mark(transaction: &mut Transaction, account: AccountId, group: &str, now: i64) -> Result<bool> {
    let ordinal = next_ordinal(transaction).await?;
    let sql = "INSERT INTO favorites (account_id, group_id, created_at, ordinal) VALUES ($1, $2, $3, $4)
               ON CONFLICT (account_id, group_id) DO NOTHING";
    Ok(transaction.execute(sql, &[account.into(), group.into(), now.into(), ordinal.into()]).await? > 0)
}

async fn is_public(transaction: &mut Transaction, group: &str) -> Result<bool> {
    let scope = Scope::published();
    let sql = format!("SELECT g.id FROM image_groups g WHERE ({}) AND g.id = $2", scope.groups());
    transaction.exists(&sql, &[scope.param(), group.into()]).await
}

/// Keeps how many accounts favour a group, on the group and on every version.
async fn count(transaction: &mut Transaction, group: &str, difference: i64) -> Result<()> {
    let groups = "UPDATE image_groups SET favorites_count = favorites_count + $2 WHERE id = $1";
    transaction.execute(groups, &[group.into(), difference.into()]).await?;
    let images =
        "UPDATE images SET favorites_count = (SELECT favorites_count FROM image_groups WHERE id = $1)
                  WHERE group_id = $1 AND group_id <> '' AND deleted_at IS NULL";
    transaction.execute(images, &[group.into()]).await.map(drop)
}
