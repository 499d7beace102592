use crate::accounts::bump_revision;
use crate::database::{Cells, Param, Read, Transaction};
use crate::images::ImageStatus;
use crate::shares::{bump_viewers, bump_viewers_and};
use crate::{AccountId, Catalog, Result, Scope};

/// What is counted: whole hours.
const HOUR_SECS: i64 = 3600;
/// Instances whose use is counted after one look at the catalogue.
const BATCH: i64 = 1000;

/// The use of an image by an instance, as it was counted last.
struct ImageUse {
    instance: String,
    image: String,
    owner: AccountId,
    counted_until: i64,
}

/// The instance of a use, its image and until when it is counted, from `instances AS n` and `images AS i`.
const USE: &str = "SELECT n.id, n.image_id, i.account_id, n.use_counted_until
                   FROM instances n JOIN images i ON i.id = n.image_id";

impl Catalog {
    /// Adds to every image the whole hours that instances started from it have been there and that are not counted
    /// yet. Returns how many instances there was something to count of.
    ///
    /// Each instance is a transaction of its own. Several may do this at once: an hour is counted once.
    pub async fn count_image_use(&self, now: i64) -> Result<u64> {
        let mut counted = 0;
        loop {
            let sql = format!(
                "{USE} WHERE n.image_id <> '' AND n.use_counted_until <= $1
                 ORDER BY n.use_counted_until, n.id LIMIT $2"
            );
            let due = self.uses(&sql, &[(now - HOUR_SECS).into(), BATCH.into()]).await?;
            for one in &due {
                let done = self
                    .database
                    .write(|mut transaction| async move {
                        bump_viewers(&mut transaction, one.owner, &one.image).await?;
                        let done = add_hours(&mut transaction, one, now).await?;
                        transaction.commit(done).await
                    })
                    .await?;
                counted += u64::from(done);
            }
            // What another process counted meanwhile is not due any more, so this comes to an end.
            if due.len() < usize::try_from(BATCH).expect("it is small") {
                return Ok(counted);
            }
        }
    }

    async fn uses(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<ImageUse>> {
        let rows = self.database.scan(AccountId::PLATFORM, sql, params).await?;
        rows.into_iter().map(|row| row.decode("instances", use_cells)).collect()
    }

    /// Whose an image is, be it in the trash.
    pub(super) async fn owner_of_image(&self, image: &str) -> Result<Option<AccountId>> {
        let sql = "SELECT id, account_id FROM images WHERE id = $1";
        let row = self.database.query(sql, &[image.into()]).await?.into_iter().next();
        row.map(|row| {
            row.decode("images", |cells| {
                cells.text()?;
                cells.integer().map(AccountId)
            })
        })
        .transpose()
    }
}

/// What an instance can be started from.
pub(super) enum StartCheck {
    Possible,
    NotFound,
    NotAvailable,
}

/// Says whether an account can start an instance from an image.
pub(super) async fn can_start(
    transaction: &mut Transaction,
    account: AccountId,
    image: &str,
) -> Result<StartCheck> {
    let scope = Scope::visible_to(account);
    let sql = format!("SELECT i.id, i.status FROM images i WHERE {} AND i.id = $2", scope.images());
    let Some(row) = transaction.query(&sql, &[scope.param(), image.into()]).await?.into_iter().next() else {
        return Ok(StartCheck::NotFound);
    };
    let status = row.decode("images", |cells| {
        cells.text()?;
        cells.word(ImageStatus::parse)
    })?;
    Ok(match status {
        ImageStatus::Making | ImageStatus::UnAvailable => StartCheck::NotAvailable,
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => StartCheck::Possible,
    })
}

/// Counts that an instance was started from an image.
pub(super) async fn count_start(transaction: &mut Transaction, image: &str) -> Result<()> {
    add(transaction, "created_count", image, 1).await
}

/// Counts the use that is left when an instance goes away. The part of an hour that is left over is lost.
pub(super) async fn count_rest(transaction: &mut Transaction, instance: &str, now: i64) -> Result<()> {
    let sql = format!("{USE} WHERE n.id = $1");
    match transaction.query(&sql, &[instance.into()]).await?.into_iter().next() {
        Some(row) => add_hours(transaction, &row.decode("instances", use_cells)?, now).await.map(drop),
        None => Ok(()),
    }
}

fn use_cells(cells: &mut Cells) -> Read<ImageUse> {
    Ok(ImageUse {
        instance: cells.text()?,
        image: cells.text()?,
        owner: AccountId(cells.integer()?),
        counted_until: cells.integer()?,
    })
}

/// Adds the hours since a use was counted last; `false` when there are none, or another process was faster.
async fn add_hours(transaction: &mut Transaction, one: &ImageUse, now: i64) -> Result<bool> {
    // A clock that was set back counts nothing.
    let hours = (now - one.counted_until).max(0) / HOUR_SECS;
    if hours == 0 {
        return Ok(false);
    }
    let until = one.counted_until + hours * HOUR_SECS;
    let sql = "UPDATE instances SET use_counted_until = $3 WHERE id = $1 AND use_counted_until = $2";
    let params = [(&one.instance).into(), one.counted_until.into(), until.into()];
    if transaction.execute(sql, &params).await? == 0 {
        return Ok(false);
    }
    add(transaction, "image_use_time_hours", &one.image, hours).await?;
    Ok(true)
}

/// Adds to a counter of an image and of its group.
async fn add(transaction: &mut Transaction, counter: &str, image: &str, more: i64) -> Result<()> {
    let sql = format!("UPDATE images SET {counter} = {counter} + $2 WHERE id = $1");
    transaction.execute(&sql, &[image.into(), more.into()]).await?;
    // A group is the sum of the versions that it has.
    let sql = format!(
        "UPDATE image_groups SET {counter} = {counter} + $2
         WHERE id IN (SELECT group_id FROM images WHERE id = $1 AND group_id <> '' AND deleted_at IS NULL)"
    );
    transaction.execute(&sql, &[image.into(), more.into()]).await.map(drop)
}

/// Touches whoever sees an instance come or go: its account and, when it was started from an image, whoever sees that.
pub(super) async fn bump_instance_viewers(
    transaction: &mut Transaction,
    account: AccountId,
    image: Option<(AccountId, &str)>,
) -> Result<()> {
    match image {
        None => bump_revision(transaction, account).await,
        Some((owner, image)) => bump_viewers_and(transaction, owner, image, account).await,
    }
}
