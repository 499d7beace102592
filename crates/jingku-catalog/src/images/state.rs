use crate::community::listing::Listing;
use crate::database::{Transaction, Value, row};
use crate::{AccountId, Catalog, Result, Scope};

row! {
    /// The fields of an image that decide whether a change is allowed.
    pub(crate) struct ImageState {
        pub(super) name: String = "i.name",
        pub(super) zone: String = "i.zone",
        pub(crate) listing: Listing,
    }
}

impl Catalog {
    /// Returns the owner of an image, in the trash or not.
    pub async fn image_owner(&self, id: &str) -> Result<Option<AccountId>> {
        let sql = "SELECT id, account_id FROM images WHERE id = $1";
        self.database.query(sql, &[id.into()]).await?.first_after_key("images")
    }
}

impl Transaction {
    pub(crate) async fn find_state(&mut self, scope: Scope, id: &str) -> Result<Option<ImageState>> {
        let condition = format!("{} AND i.id = $2", scope.found_images());
        self.find_state_where(&condition, &scope.image_params(id)).await
    }

    /// Returns the state of the only image that matches a condition on `images AS i`.
    pub(super) async fn find_state_where(
        &mut self,
        condition: &str,
        params: &[Value<'_>],
    ) -> Result<Option<ImageState>> {
        let sql = format!(
            "SELECT i.id, {}, {} FROM images i WHERE {condition}",
            ImageState::COLUMNS,
            Listing::COLUMNS
        );
        self.query(&sql, params).await?.first_after_key("images")
    }

    /// Returns whether an image other than `id` has the name. Stays true until the transaction ends.
    pub(crate) async fn name_taken(&mut self, scope: Scope, name: &str, id: &str) -> Result<bool> {
        let sql = "SELECT id FROM images
                   WHERE account_id = $1 AND name = $2 AND id <> $3 AND deleted_at IS NULL AND status <> 'UnAvailable'";
        self.exists(sql, &[scope.param(), name.into(), id.into()]).await
    }

    /// Updates the number of an account's images in a zone, which pages show as their total.
    pub(super) async fn count_images(&mut self, account: AccountId, zone: &str, change: i64) -> Result<()> {
        let sql = "INSERT INTO image_counts (account_id, zone, images) VALUES ($1, $2, $3)
                   ON CONFLICT (account_id, zone) DO UPDATE SET images = image_counts.images + $3";
        self.execute(sql, &[account.into(), zone.into(), change.into()]).await.map(drop)
    }
}
