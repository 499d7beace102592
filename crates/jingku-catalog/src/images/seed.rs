use std::collections::BTreeMap;

use super::change::{count, name_taken};
use super::row::ImageStatus;
use crate::accounts::touch;
use crate::community::{self, First};
use crate::database::{Cells, Transaction, json_list};
use crate::{AccountId, Catalog, Result, Scope};

/// An image as it is to be, in any status, with no making before it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Image`")]
pub struct SeedImage<'a> {
    pub id: String,
    pub account: AccountId,
    pub name: String,
    pub status: ImageStatus,
    pub description: &'a str,
    pub readme: &'a str,
    pub tags: &'a [String],
    pub supported_gpu_types: &'a [String],
    /// 1 makes it public when it is [`ImageStatus::Available`], the first version of a group with its own id.
    pub visibility: i64,
    pub price_cents: i64,
    pub failed_reason: &'a str,
    pub create_time: i64,
    pub region: &'a str,
    pub zone: &'a str,
    pub source_gpu_type: &'a str,
    pub source_instance_id: &'a str,
    pub size_bytes: i64,
    /// The name of its manifest, whose chunks are all there; `None` while it is made or could not be.
    pub manifest: Option<&'a str>,
    /// Of an image that is [`ImageStatus::Making`]: bytes read so far.
    pub done_bytes: i64,
}

impl SeedImage<'_> {
    /// Whether everybody is to see it: what has not all its bits is shown to nobody.
    fn is_public(&self) -> bool {
        self.visibility == 1 && self.status == ImageStatus::Available
    }

    /// Whether it has been handed in, however that ended: then it is the first version of a group.
    fn is_of_community(&self) -> bool {
        self.is_public() || matches!(self.status, ImageStatus::Reviewing | ImageStatus::Offline)
    }
}

/// What came of [`Catalog::seed_images`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedImages {
    /// All of them are there.
    Seeded,
    /// An image of the account holds this name; nothing was changed.
    NameTaken(String),
}

/// Who has the jobs of images that are made for ever. No server has this name.
const NOBODY: &str = "nobody";

/// Live jobs that nobody works on: `$1` is [`NOBODY`].
const STANDING: &str = "worker = $1 AND finished_at IS NULL";

impl Catalog {
    /// Adds images as they are described, all or none, for servers that are filled by a file.
    ///
    /// One that is [`ImageStatus::Making`] stays so: no worker gets its job, see [`Catalog::end_standing_jobs`].
    pub async fn seed_images(&self, images: &[SeedImage<'_>], now: i64) -> Result<SeedImages> {
        self.database
            .write(|mut transaction| async move {
                let mut counts: BTreeMap<(AccountId, &str), i64> = BTreeMap::new();
                for image in images {
                    *counts.entry((image.account, image.zone)).or_default() += 1;
                }
                for account in counts.keys().map(|(account, _)| *account) {
                    touch(&mut transaction, account).await?;
                }
                for image in images {
                    let scope = Scope::own(image.account);
                    if image.status != ImageStatus::UnAvailable
                        && name_taken(&mut transaction, scope, &image.name, &image.id).await?
                    {
                        return transaction.discard(SeedImages::NameTaken(image.name.clone())).await;
                    }
                    insert_image(&mut transaction, image).await?;
                    if image.is_of_community() {
                        let (status, reason) = (image.status, image.failed_reason);
                        let first = First { status, public: image.is_public(), failed_reason: reason };
                        community::place_first(&mut transaction, scope, &image.id, first, image.create_time)
                            .await?;
                    }
                    if image.status == ImageStatus::Making {
                        insert_standing_job(&mut transaction, image, now).await?;
                    }
                }
                for ((account, zone), images) in counts {
                    count(&mut transaction, account, zone, images).await?;
                }
                transaction.commit(SeedImages::Seeded).await
            })
            .await
    }

    /// Lets the images come so far that [`Catalog::seed_images`] left in the making, in percent of their size. One
    /// that is further stays where it is.
    pub async fn move_standing_jobs(&self, percent: i64, now: i64) -> Result<u64> {
        self.database
            .write(|mut transaction| async move {
                let sql = format!(
                    "UPDATE jobs SET done_bytes = (total_bytes * $2 + 99) / 100, reported_at = $3
                     WHERE {STANDING} AND done_bytes < (total_bytes * $2 + 99) / 100"
                );
                let params = [NOBODY.into(), percent.into(), now.into()];
                let moved = transaction.execute(&sql, &params).await?;
                transaction.commit(moved).await
            })
            .await
    }

    /// Returns the sizes in bytes of the images that [`Catalog::seed_images`] left in the making, each once.
    pub async fn standing_sizes(&self) -> Result<Vec<i64>> {
        let sql = format!("SELECT DISTINCT total_bytes FROM jobs WHERE {STANDING}");
        let rows = self.database.query(&sql, &[NOBODY.into()]).await?;
        rows.into_iter().map(|row| row.decode("jobs", Cells::integer)).collect()
    }

    /// Ends the making of those of one size that [`Catalog::seed_images`] left in it: they are available, and this
    /// is their manifest.
    pub async fn end_standing_jobs(&self, size_bytes: i64, manifest: &str, now: i64) -> Result<u64> {
        self.database
            .write(|mut transaction| async move {
                let of_size = format!("{STANDING} AND total_bytes = $2");
                let owners = format!(
                    "UPDATE accounts SET revision = revision + 1
                     WHERE id IN (SELECT account_id FROM jobs WHERE {of_size})"
                );
                let (nobody, size) = (NOBODY.into(), size_bytes.into());
                transaction.execute(&owners, &[nobody, size]).await?;
                let images = format!(
                    "UPDATE images SET status = 'Available', manifest = $3, update_time = $4
                     WHERE id IN (SELECT image_id FROM jobs WHERE {of_size})"
                );
                transaction.execute(&images, &[nobody, size, manifest.into(), now.into()]).await?;
                let jobs = format!(
                    "UPDATE jobs SET finished_at = $3, outcome = 'done', lease_until = NULL,
                         done_bytes = total_bytes, reported_at = $3 WHERE {of_size}"
                );
                let ended = transaction.execute(&jobs, &[nobody, size, now.into()]).await?;
                transaction.commit(ended).await
            })
            .await
    }
}

async fn insert_image(transaction: &mut Transaction, image: &SeedImage<'_>) -> Result<()> {
    let (tags, supported_gpu_types) = (json_list(image.tags), json_list(image.supported_gpu_types));
    transaction
        .execute(
            "INSERT INTO images (
                 account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
                 softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                 created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                 version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes,
                 manifest, readme
             ) VALUES (
                 $1, $2, $3, $4, $5, $6, '', $7, $8, 0,
                 NULL, $9, '[]', '[]', 0,
                 0, 0, $10, $11, $11, 0, '',
                 '', '', $12, $13, $14, $15, $16,
                 $17, $18
             )",
            &[
                image.account.into(),
                (&image.id).into(),
                (&image.name).into(),
                image.status.as_str().into(),
                image.description.into(),
                (&tags).into(),
                i64::from(image.is_public()).into(),
                image.price_cents.into(),
                (&supported_gpu_types).into(),
                image.failed_reason.into(),
                image.create_time.into(),
                image.source_gpu_type.into(),
                image.region.into(),
                image.zone.into(),
                image.source_instance_id.into(),
                image.size_bytes.into(),
                image.manifest.into(),
                image.readme.into(),
            ],
        )
        .await
        .map(drop)
}

/// A job under a lease that never runs out. It carries the image's id where an instance's would be: the instance, if
/// there is one, is free.
async fn insert_standing_job(transaction: &mut Transaction, image: &SeedImage<'_>, now: i64) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, worker, lease_until, attempts,
                 started_at, reported_at, done_bytes, total_bytes)
             VALUES ($1, $2, $1, $1, $3, $4, $5, 1, $3, $6, $7, $8)",
            &[
                (&image.id).into(),
                image.account.into(),
                image.create_time.into(),
                NOBODY.into(),
                i64::MAX.into(),
                now.into(),
                image.done_bytes.into(),
                image.size_bytes.into(),
            ],
        )
        .await
        .map(drop)
}
