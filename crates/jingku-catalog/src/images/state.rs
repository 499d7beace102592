use crate::community::Listing;
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
    pub(crate) async fn image_owner(&self, id: &str) -> Result<Option<AccountId>> {
        let sql = "SELECT id, account_id FROM images WHERE id = $1";
        self.database.query(sql, &[id.into()]).await?.first_after_key("images")
    }
}

impl Transaction {
    pub(crate) async fn find_state(&mut self, scope: Scope, id: &str) -> Result<Option<ImageState>> {
        let condition = format!("{} AND i.id = $2", scope.images());
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
}
