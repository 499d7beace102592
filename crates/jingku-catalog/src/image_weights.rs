//! How much data single images have: measured with their account, and replaced by the next measurement.

use crate::database::{Params, row};
use crate::{AccountId, Catalog, Result};

/// The numbers of rows that one statement writes. They are few, because each makes a statement of its own to prepare.
const BATCHES: [usize; 3] = [128, 16, 1];

/// The data of one image. Sizes are before compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageWeight {
    /// The id of the image.
    pub image_id: String,
    /// Its data without zeros, each chunk once.
    pub stored_bytes: i64,
    /// The part of it that no other image of the account needs.
    pub unique_bytes: i64,
}

row! {
    /// An image, in the trash or not, with what an [`ImageWeight`] says.
    pub struct WeighedImage {
        /// Its id.
        pub image_id: String = "i.id",
        /// Its name.
        pub name: String = "i.name",
        /// Whether it is in the trash.
        pub trashed: bool = "CAST(CASE WHEN i.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
        /// Its unpacked size.
        pub logical_bytes: i64 = "i.size_bytes",
        /// `None` before it was measured.
        pub stored_bytes: Option<i64> = "w.stored_bytes",
        /// `None` before it was measured.
        pub unique_bytes: Option<i64> = "w.unique_bytes",
    }
}

impl Catalog {
    /// Saves the weights of all images of an account, each time a bounded number. Only rows that differ are written.
    pub async fn save_image_weights(&self, account: AccountId, weights: &[ImageWeight]) -> Result<()> {
        let mut rest = weights;
        for length in BATCHES {
            let batches = rest.chunks_exact(length);
            rest = batches.remainder();
            for batch in batches {
                self.save_batch(account, batch).await?;
            }
        }
        let gone = "DELETE FROM image_weights WHERE account_id = $1
                    AND image_id NOT IN (SELECT i.id FROM images i WHERE i.account_id = $1)";
        self.database.execute(gone, &[account.into()]).await.map(drop)
    }

    async fn save_batch(&self, account: AccountId, batch: &[ImageWeight]) -> Result<()> {
        let mut params = Params::default();
        let account = params.add(account);
        let mut values = Vec::new();
        for weight in batch {
            let (id, stored) = (params.add(weight.image_id.clone()), params.add(weight.stored_bytes));
            values.push(format!("({account}, {id}, {stored}, {})", params.add(weight.unique_bytes)));
        }
        let sql = format!(
            "INSERT INTO image_weights AS w (account_id, image_id, stored_bytes, unique_bytes) VALUES {}
             ON CONFLICT (account_id, image_id) DO UPDATE SET
                 stored_bytes = excluded.stored_bytes, unique_bytes = excluded.unique_bytes
             WHERE w.stored_bytes <> excluded.stored_bytes OR w.unique_bytes <> excluded.unique_bytes",
            values.join(", ")
        );
        self.database.execute(&sql, params.as_slice()).await.map(drop)
    }

    /// Returns an image of an account with its weight; `None` if the account has no such image.
    pub async fn weighed_image(&self, account: AccountId, image_id: &str) -> Result<Option<WeighedImage>> {
        let sql = format!(
            "SELECT {} FROM images i
             LEFT JOIN image_weights w ON w.account_id = i.account_id AND w.image_id = i.id
             WHERE i.id = $2 AND i.account_id = $1",
            WeighedImage::COLUMNS
        );
        self.database.query(&sql, &[account.into(), image_id.into()]).await?.first("images")
    }
}
