use crate::database::Transaction;
use crate::{AccountId, Result};

impl Transaction {
    /// Updates the number of an account's images in a zone, which pages show as their total.
    pub(super) async fn count_images(
        &mut self,
        account: AccountId,
        zone: &str,
        difference: i64,
    ) -> Result<()> {
        let sql = "INSERT INTO image_counts (account_id, zone, images) VALUES ($1, $2, $3)
                   ON CONFLICT (account_id, zone) DO UPDATE SET images = image_counts.images + $3";
        self.execute(sql, &[account.into(), zone.into(), difference.into()]).await.map(drop)
    }
}
