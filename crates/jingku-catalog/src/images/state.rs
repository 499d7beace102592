use super::row::ImageStatus;
use crate::community::Listing;
use crate::database::{Cells, Param, Read, Transaction, after_key};
use crate::{AccountId, Catalog, Result, Scope};

/// The fields of an image that decide whether a change is allowed.
pub(crate) struct ImageState {
    pub(super) name: String,
    pub(super) zone: String,
    pub(crate) listing: Listing,
}

impl Catalog {
    /// Returns the owner of an image, in the trash or not.
    pub(crate) async fn image_owner(&self, id: &str) -> Result<Option<AccountId>> {
        let sql = "SELECT id, account_id FROM images WHERE id = $1";
        self.database.query(sql, &[id.into()]).await?.first("images", after_key(Cells::account))
    }
}

pub(crate) async fn find_status(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
) -> Result<Option<ImageStatus>> {
    let rows = transaction.query(&scope.select_image("i.id, i.status"), &scope.image_params(id)).await?;
    rows.first("images", after_key(|cells| cells.word(ImageStatus::parse)))
}

pub(crate) async fn find_state(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
) -> Result<Option<ImageState>> {
    let condition = format!("{} AND i.id = $2", scope.images());
    find_state_where(transaction, &condition, &scope.image_params(id)).await
}

/// Returns the state of the only image that matches a condition on `images AS i`.
pub(super) async fn find_state_where(
    transaction: &mut Transaction,
    condition: &str,
    params: &[Param<'_>],
) -> Result<Option<ImageState>> {
    let sql = format!(
        "SELECT i.id, i.name, i.zone, i.status, i.visibility, i.container, i.group_id, i.version_name,
                i.community_name, i.submitted_at, i.submitted_ordinal, i.pub_time, i.published_ordinal, i.failed_reason
         FROM images i WHERE {condition}"
    );
    transaction.query(&sql, params).await?.first("images", after_key(state_cells))
}

fn state_cells(cells: &mut Cells) -> Read<ImageState> {
    Ok(ImageState {
        name: cells.text()?,
        zone: cells.text()?,
        listing: Listing {
            status: cells.word(ImageStatus::parse)?,
            public: cells.flag()?,
            container: cells.flag()?,
            group_id: cells.text()?,
            version_name: cells.text()?,
            community_name: cells.text()?,
            submitted_at: cells.integer()?,
            submitted_ordinal: cells.integer()?,
            pub_time: cells.integer()?,
            published_ordinal: cells.integer()?,
            failed_reason: cells.text()?,
        },
    })
}
