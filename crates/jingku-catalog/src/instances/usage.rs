use crate::database::{Transaction, row};
use crate::images::row::CHANGED;
use crate::{AccountId, Catalog, Result};

const HOUR_SECS: i64 = 3600;
/// Instances whose use is counted after one query.
const BATCH: i64 = 1000;

row! {
    /// The use of an image by an instance, as last counted.
    struct ImageUse {
        instance: String = "n.id",
        image: String = "n.image_id",
        owner: AccountId = "i.account_id",
        counted_until: i64 = "n.use_counted_until",
    }
}

/// Selects [`ImageUse`] where a condition is true.
fn select_use(condition: &str) -> String {
    format!(
        "SELECT {} FROM instances n JOIN images i ON i.id = n.image_id WHERE {condition}",
        ImageUse::COLUMNS
    )
}

impl Catalog {
    /// Adds to every image the whole hours, not yet counted, for which instances started from it exist. Returns how many
    /// instances had hours to count.
    ///
    /// Each instance is a transaction of its own. With concurrent calls, every hour is counted once.
    pub async fn count_image_use(&self, now: i64) -> Result<u64> {
        let mut counted = 0;
        loop {
            let sql = select_use(
                "n.image_id <> '' AND n.use_counted_until <= $1 ORDER BY n.use_counted_until, n.id LIMIT $2",
            );
            let params = [(now - HOUR_SECS).into(), BATCH.into()];
            let due: Vec<ImageUse> =
                self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("instances")?;
            for one in &due {
                let change = |mut transaction: Transaction| async move {
                    transaction.bump_viewers(one.owner, &one.image).await?;
                    let done = transaction.count_hours(one, now).await?;
                    transaction.commit(done).await
                };
                counted += u64::from(self.database.write(change).await?);
            }
            // What was counted is no longer due, so the loop ends.
            if due.len() < usize::try_from(BATCH).expect("it is small") {
                return Ok(counted);
            }
        }
    }
}

impl Transaction {
    /// Counts the remaining whole hours of an instance that is removed.
    pub(crate) async fn count_rest(&mut self, instance: &str, now: i64) -> Result<()> {
        match self.query(&select_use("n.id = $1"), &[instance.into()]).await?.first("instances")? {
            Some(image_use) => self.count_hours(&image_use, now).await.map(drop),
            None => Ok(()),
        }
    }

    /// Adds the hours since the last count. Returns `false` if there are none, or another process has counted them.
    async fn count_hours(&mut self, one: &ImageUse, now: i64) -> Result<bool> {
        // Negative after the clock was set back.
        let hours = (now - one.counted_until).max(0) / HOUR_SECS;
        if hours == 0 {
            return Ok(false);
        }
        let until = one.counted_until + hours * HOUR_SECS;
        let sql = "UPDATE instances SET use_counted_until = $3 WHERE id = $1 AND use_counted_until = $2";
        let params = [(&one.instance).into(), one.counted_until.into(), until.into()];
        if self.execute(sql, &params).await? == 0 {
            return Ok(false);
        }
        self.add_to_counter("image_use_time_hours", &one.image, hours).await?;
        Ok(true)
    }

    /// Adds to a counter of an image and its group.
    pub(crate) async fn add_to_counter(&mut self, counter: &str, image: &str, more: i64) -> Result<()> {
        let sql = format!("UPDATE images SET {CHANGED}, {counter} = {counter} + $2 WHERE id = $1");
        self.execute(&sql, &[image.into(), more.into()]).await?;
        // The counters of a group are the sums over its current versions.
        let group = "SELECT id, group_id FROM images WHERE id = $1 AND group_id <> '' AND deleted_at IS NULL";
        let rows = self.query(group, &[image.into()]).await?;
        let Some(group) = rows.first_after_key::<String>("images")? else { return Ok(()) };
        let changed = self.next_ordinal().await?;
        let sql = format!("UPDATE image_groups SET {counter} = {counter} + $2, changed = $3 WHERE id = $1");
        self.execute(&sql, &[group.into(), more.into(), changed.into()]).await.map(drop)
    }
}
