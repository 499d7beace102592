//! How much the images of an account use, measured at times.

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

/// The most samples kept of an account, one a day; the oldest are removed first.
pub const USAGE_SAMPLES_MAX: u32 = 400;
/// How long at least after an account was measured it is measured again on the same day, if its images have changed, in
/// seconds.
const REMEASURE_SECS: i64 = 60 * 60;
const SECS_OF_A_DAY: i64 = 24 * 60 * 60;

row! {
    /// The use of one account at a time. Sizes are before compression.
    pub struct UsageSample {
        /// When it was measured, in Unix seconds.
        pub measured_at: i64 = "s.measured_at",
        /// Images, including the trash.
        pub images: i64 = "s.images",
        /// The sum of their unpacked sizes.
        pub logical_bytes: i64 = "s.logical_bytes",
        /// Their data without zeros, each chunk once.
        pub stored_bytes: i64 = "s.stored_bytes",
        /// The part of the stored bytes that only one image of the account needs.
        pub unique_bytes: i64 = "s.unique_bytes",
        /// The part of the stored bytes that only images in the trash need.
        pub trash_bytes: i64 = "s.trash_bytes",
        /// The use of single images, in the format of the one who measured. Empty, except in the sample measured last.
        pub detail: String = "s.detail",
    }
}

impl Catalog {
    /// Returns accounts that are to be measured now, with their revisions, at most `limit`: those without a sample of this
    /// day, and those whose images have changed since, but at most once an hour.
    pub async fn accounts_to_measure(&self, now: i64, limit: u32) -> Result<Vec<(AccountId, i64)>> {
        let sql = "SELECT a.id, a.revision FROM accounts a
                   LEFT JOIN usage_samples s ON s.account_id = a.id AND s.day = $1
                   WHERE a.id > 0
                     AND (s.day IS NULL OR (s.revision <> a.revision
                                            AND (s.measured_at <= $2 OR s.measured_at > $3)))
                     AND (EXISTS (SELECT 1 FROM images i WHERE i.account_id = a.id)
                          OR EXISTS (SELECT 1 FROM usage_samples u WHERE u.account_id = a.id))
                   ORDER BY a.id LIMIT $4";
        let day = now.div_euclid(SECS_OF_A_DAY);
        let params = [day.into(), (now - REMEASURE_SECS).into(), now.into(), i64::from(limit).into()];
        self.database.scan(AccountId::PLATFORM, sql, &params).await?.all("accounts")
    }

    /// Saves a sample of an account, which replaces one of the same day.
    pub async fn save_usage_sample(
        &self,
        account: AccountId,
        revision: i64,
        sample: &UsageSample,
    ) -> Result<()> {
        let day = sample.measured_at.div_euclid(SECS_OF_A_DAY);
        let change = |mut transaction: Transaction| async move {
            let insert = "INSERT INTO usage_samples
                    (account_id, day, measured_at, revision, images, logical_bytes, stored_bytes, unique_bytes,
                     trash_bytes, detail)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                ON CONFLICT (account_id, day) DO UPDATE SET
                    measured_at = $3, revision = $4, images = $5, logical_bytes = $6, stored_bytes = $7,
                    unique_bytes = $8, trash_bytes = $9, detail = $10";
            let params = [
                account.into(),
                day.into(),
                sample.measured_at.into(),
                revision.into(),
                sample.images.into(),
                sample.logical_bytes.into(),
                sample.stored_bytes.into(),
                sample.unique_bytes.into(),
                sample.trash_bytes.into(),
                (&*sample.detail).into(),
            ];
            transaction.execute(insert, &params).await?;
            let clear =
                "UPDATE usage_samples SET detail = '' WHERE account_id = $1 AND day <> $2 AND detail <> ''";
            transaction.execute(clear, &params[..2]).await?;
            // By number and not by age, so that a wrong clock removes no history.
            let expire = "DELETE FROM usage_samples WHERE account_id = $1
                          AND day < (SELECT day FROM usage_samples WHERE account_id = $1
                                     ORDER BY day DESC LIMIT 1 OFFSET $2)";
            let last = i64::from(USAGE_SAMPLES_MAX) - 1;
            transaction.execute(expire, &[account.into(), last.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Returns the samples of an account, newest first, at most `limit`.
    pub async fn usage_samples(&self, account: AccountId, limit: u32) -> Result<Vec<UsageSample>> {
        let sql = format!(
            "SELECT {} FROM usage_samples s WHERE s.account_id = $1 ORDER BY s.day DESC LIMIT $2",
            UsageSample::COLUMNS
        );
        self.database.query(&sql, &[account.into(), i64::from(limit).into()]).await?.all("usage_samples")
    }
}
