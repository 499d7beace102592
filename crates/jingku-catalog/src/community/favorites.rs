use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::{Params, Transaction, row};
use crate::images::row::CHANGED;
use crate::{AccountId, Catalog, Image, Page, Paging, Result, Scope};

row! {
    /// A favourite of an account.
    pub struct Favorite {
        /// The newest public version of the group.
        pub image: Image,
        /// Sorts the favourites of the account, the last marked highest.
        pub ordinal: i64 = "k.ordinal",
    }
}

impl Favorite {
    const ORDER: Order = Order {
        name: "favourites",
        columns: &[Column::Integer("f.ordinal")],
        legacy: &[Column::Integer("f.created_at"), Column::Text("f.group_id")],
        ascending: false,
    };

    /// Parses the page token of a list of favourites.
    pub fn cursor(token: &str) -> std::result::Result<Cursor, InvalidCursor> {
        Self::ORDER.parse(token)
    }
}

impl Catalog {
    /// Marks a group as a favourite of the account. Returns `false` if there is no such public group.
    pub async fn add_favorite(&self, account: AccountId, group: &str, now: i64) -> Result<bool> {
        let Some(owner) = self.owner_of_group(account, group).await? else { return Ok(false) };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(owner).await?;
            if !transaction.is_group_public(group).await? {
                return transaction.discard(false).await;
            }
            if !transaction.insert_favorite(account, group, now).await? {
                return transaction.discard(true).await;
            }
            transaction.count_favorites(group, 1).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Removes a favourite, if it is one. That also works, once, for a group that is no longer public. Returns `false` if
    /// there is no such public group, and it was not a favourite.
    pub async fn remove_favorite(&self, account: AccountId, group: &str) -> Result<bool> {
        let Some(owner) = self.owner_of_group(account, group).await? else { return Ok(false) };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(owner).await?;
            let sql = "DELETE FROM favorites WHERE account_id = $1 AND group_id = $2";
            if transaction.execute(sql, &[account.into(), group.into()]).await? > 0 {
                transaction.count_favorites(group, -1).await?;
                return transaction.commit(true).await;
            }
            let public = transaction.is_group_public(group).await?;
            transaction.discard(public).await
        };
        self.database.write(change).await
    }

    /// Returns the group that a public image is a version of.
    pub async fn group_of_image(&self, image_id: &str) -> Result<Option<String>> {
        let scope = Scope::published();
        let sql = scope.select_image("i.group_id");
        self.database.query(&sql, &scope.image_params(image_id)).await?.first_after_key("images")
    }

    /// Returns the newest public version of each favourite of the account, last marked first.
    ///
    /// Groups without a public version, or without one in these zones, are omitted.
    pub async fn favorites_page(
        &self,
        account: AccountId,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Page<Favorite>> {
        let scope = Scope::published();
        let mut params = Params::default();
        // $1 in `Scope::images`.
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
        let window = paging.window(&Favorite::ORDER, &mut params);
        let sql = format!(
            "SELECT {}, '', {}, t.total
             FROM (SELECT COUNT(*) AS total FROM favorites f WHERE {seen}) t
             LEFT JOIN (SELECT f.ordinal,
                               (SELECT i.id {versions}
                                ORDER BY i.submitted_ordinal DESC, i.ordinal DESC LIMIT 1) AS image_id
                        FROM favorites f WHERE {seen}{after} {window}) k ON TRUE
             LEFT JOIN images i ON i.id = k.image_id
             LEFT JOIN accounts a ON a.id = i.account_id",
            Image::COLUMNS,
            Favorite::COLUMNS
        );
        let rows = self.database.scan(owner, &sql, params.as_slice()).await?;
        rows.page("images", paging.limit(), &Favorite::ORDER, |favorite: &Favorite| {
            vec![favorite.ordinal.into()]
        })
    }

    /// Returns the owner of a group, which never changes, if the group has a public version or is a favourite of the
    /// account. Other groups look, also in timing, exactly like groups that do not exist.
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
        rows.first("image_groups")
    }
}

impl Transaction {
    /// Marks a group, public or not, as a favourite of accounts that have not marked it.
    pub(crate) async fn seed_favorites(
        &mut self,
        group: &str,
        accounts: &[AccountId],
        now: i64,
    ) -> Result<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        for account in accounts {
            self.insert_favorite(*account, group, now).await?;
        }
        self.count_favorites(group, i64::try_from(accounts.len()).unwrap_or(i64::MAX)).await
    }

    /// Returns `false` if the account had marked the group before.
    async fn insert_favorite(&mut self, account: AccountId, group: &str, now: i64) -> Result<bool> {
        let ordinal = self.next_ordinal().await?;
        let sql = "INSERT INTO favorites (account_id, group_id, created_at, ordinal) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (account_id, group_id) DO NOTHING";
        Ok(self.execute(sql, &[account.into(), group.into(), now.into(), ordinal.into()]).await? > 0)
    }

    async fn is_group_public(&mut self, group: &str) -> Result<bool> {
        let scope = Scope::published();
        let sql = format!("SELECT g.id FROM image_groups g WHERE ({}) AND g.id = $2", scope.groups());
        self.exists(&sql, &[scope.param(), group.into()]).await
    }

    /// Updates the number of favourites of a group and of every version.
    async fn count_favorites(&mut self, group: &str, difference: i64) -> Result<()> {
        let changed = self.next_ordinal().await?;
        let groups =
            "UPDATE image_groups SET favorites_count = favorites_count + $2, changed = $3 WHERE id = $1";
        self.execute(groups, &[group.into(), difference.into(), changed.into()]).await?;
        let images = format!(
            "UPDATE images SET {CHANGED}, favorites_count = (SELECT favorites_count FROM image_groups WHERE id = $1)
             WHERE group_id = $1 AND group_id <> '' AND deleted_at IS NULL"
        );
        self.execute(&images, &[group.into()]).await.map(drop)
    }
}
