use std::collections::BTreeMap;

use super::row::ImageStatus;
use crate::database::{Transaction, json_list};
use crate::jobs::SEED_WORKER;
use crate::ordinals::Position;
use crate::{AccountId, Catalog, Result, Scope};

/// An image to insert directly, in any status.
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
    pub price_cents: i64,
    pub failed_reason: &'a str,
    pub create_time: i64,
    pub region: &'a str,
    pub zone: &'a str,
    pub source_gpu_type: &'a str,
    pub source_instance_id: &'a str,
    pub size_bytes: i64,
    /// The name of its manifest, whose chunks are all stored; `None` in status `Making` or `UnAvailable`.
    pub manifest: Option<&'a str>,
    /// Bytes read so far, in status `Making`.
    pub done_bytes: i64,
    pub container: bool,
    pub platform_type: &'a str,
    /// Other accounts it is shared with.
    pub shared_with: &'a [AccountId],
    /// Its community version, if it was submitted. It is public if it is [`ImageStatus::Available`].
    pub version: Option<SeedVersion<'a>>,
}

/// A version in the community.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Image`")]
pub struct SeedVersion<'a> {
    /// The id of a [`SeedGroup`] of the image's account.
    pub group_id: String,
    /// The name of the group; empty for that of the image.
    pub community_name: &'a str,
    pub version_name: String,
    pub version_desc: &'a str,
}

/// A group of versions.
#[derive(Clone, Debug)]
pub struct SeedGroup {
    /// Its unique id.
    pub id: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// Its rank in the community, highest first.
    pub recommend_count: i64,
    /// The distinct accounts that marked it as a favourite.
    pub favored_by: Vec<AccountId>,
}

impl SeedImage<'_> {
    fn is_public(&self) -> bool {
        self.version.is_some() && self.status == ImageStatus::Available
    }
}

/// The outcome of [`Catalog::seed_images`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedImages {
    /// All were inserted.
    Seeded,
    /// Another image of the account has this name. Nothing was changed.
    NameTaken(String),
}

/// Unfinished seeded jobs: `$1` is [`SEED_WORKER`].
const SEEDED: &str = "worker = $1 AND finished_at IS NULL";

impl Catalog {
    /// Inserts images and their groups, for servers that load fixtures from a file. They are created in order of creation
    /// time, then in the order given.
    ///
    /// An image in status [`ImageStatus::Making`] stays so: no worker gets its job. See
    /// [`Catalog::complete_seeded_jobs`].
    pub async fn seed_images(
        &self,
        images: &[SeedImage<'_>],
        groups: &[SeedGroup],
        now: i64,
    ) -> Result<SeedImages> {
        let change = |mut transaction: Transaction| async move {
            let viewers = images.iter().flat_map(|image| image.shared_with);
            let owners = images.iter().map(|image| &image.account);
            transaction.bump_revisions(owners.chain(viewers).copied()).await?;
            for group in groups {
                transaction.insert_group(Scope::own(group.account), &group.id, now).await?;
            }
            let mut counts: BTreeMap<(AccountId, &str), i64> = BTreeMap::new();
            let mut images: Vec<&SeedImage<'_>> = images.iter().collect();
            images.sort_by_key(|image| image.create_time);
            for image in images {
                let scope = Scope::own(image.account);
                if image.status != ImageStatus::UnAvailable
                    && transaction.name_taken(scope, &image.name, &image.id).await?
                {
                    return transaction.discard(SeedImages::NameTaken(image.name.clone())).await;
                }
                let position = transaction.next_position(image.account, image.create_time).await?;
                transaction.insert_seed(image, position).await?;
                let (viewers, ordinal) = (image.shared_with, position.ordinal);
                transaction.insert_shares(&image.id, viewers, ordinal, now).await?;
                if image.status == ImageStatus::Making {
                    transaction.insert_seeded_job(image, now).await?;
                }
                *counts.entry((image.account, image.zone)).or_default() += 1;
            }
            for group in groups {
                transaction.seed_favorites(&group.id, &group.favored_by, now).await?;
                let sql = "UPDATE image_groups SET recommend_count = $2 WHERE id = $1";
                let params = [(&group.id).into(), group.recommend_count.into()];
                transaction.execute(sql, &params).await?;
                transaction.refresh_group(&group.id).await?;
            }
            for ((account, zone), images) in counts {
                transaction.count_images(account, zone, images).await?;
            }
            transaction.commit(SeedImages::Seeded).await
        };
        self.database.write(change).await
    }

    /// Advances seeded images in status `Making` to a percentage of their size. Those that are further are unchanged.
    pub async fn advance_seeded_jobs(&self, percent: i64, now: i64) -> Result<u64> {
        let sql = format!(
            "UPDATE jobs SET done_bytes = (total_bytes * $2 + 99) / 100, reported_at = $3
             WHERE {SEEDED} AND done_bytes < (total_bytes * $2 + 99) / 100"
        );
        self.database.execute(&sql, &[SEED_WORKER.into(), percent.into(), now.into()]).await
    }

    /// Returns the distinct sizes in bytes of seeded images in status `Making`.
    pub async fn seeded_job_sizes(&self) -> Result<Vec<i64>> {
        let sql = format!("SELECT DISTINCT total_bytes FROM jobs WHERE {SEEDED}");
        self.database.scan(AccountId::PLATFORM, &sql, &[SEED_WORKER.into()]).await?.all("jobs")
    }

    /// Makes seeded images of one size in status `Making` available with a manifest.
    pub async fn complete_seeded_jobs(&self, size_bytes: i64, manifest: &str, now: i64) -> Result<u64> {
        let change = |mut transaction: Transaction| async move {
            let of_size = format!("{SEEDED} AND total_bytes = $2");
            let owners = format!(
                "UPDATE accounts SET revision = revision + 1
                 WHERE id IN (SELECT account_id FROM jobs WHERE {of_size})"
            );
            let (nobody, size) = (SEED_WORKER.into(), size_bytes.into());
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
        };
        self.database.write(change).await
    }
}

impl Transaction {
    async fn insert_seed(&mut self, image: &SeedImage<'_>, position: Position) -> Result<()> {
        let (tags, supported_gpu_types) = (json_list(image.tags), json_list(image.supported_gpu_types));
        let version = image.version.as_ref();
        let if_submitted = |value: i64| if version.is_some() { value } else { 0 };
        let if_public = |value: i64| if image.is_public() { value } else { 0 };
        let Position { seq, ordinal, create_time } = position;
        self
            .execute(
                "INSERT INTO images (
                     account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
                     softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                     created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                     version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes,
                     manifest, readme, container, platform_type, community_name, submitted_at,
                     seq, ordinal, submitted_ordinal, published_ordinal
                 ) VALUES (
                     $1, $2, $3, $4, $5, $6, '', $7, $8, 0,
                     NULL, $9, '[]', '[]', 0,
                     0, 0, $10, $11, $11, $12, $13,
                     $14, $15, $16, $17, $18, $19, $20,
                     $21, $22, $23, $24, $25, $26,
                     $27, $28, $29, $30
                 )",
                &[
                    image.account.into(),
                    (&image.id).into(),
                    (&image.name).into(),
                    image.status.as_str().into(),
                    image.description.into(),
                    (&tags).into(),
                    image.is_public().into(),
                    image.price_cents.into(),
                    (&supported_gpu_types).into(),
                    image.failed_reason.into(),
                    create_time.into(),
                    if_public(create_time).into(),
                    version.map_or("", |version| &version.group_id).into(),
                    version.map_or("", |version| &version.version_name).into(),
                    version.map_or("", |version| version.version_desc).into(),
                    image.source_gpu_type.into(),
                    image.region.into(),
                    image.zone.into(),
                    image.source_instance_id.into(),
                    image.size_bytes.into(),
                    image.manifest.into(),
                    image.readme.into(),
                    image.container.into(),
                    image.platform_type.into(),
                    version.map_or("", |version| version.community_name).into(),
                    if_submitted(create_time).into(),
                    seq.into(),
                    ordinal.into(),
                    if_submitted(ordinal).into(),
                    if_public(ordinal).into(),
                ],
            )
            .await
            .map(drop)
    }

    /// Inserts a job whose lease never expires. It has the image's id as the instance: the real instance, if any, is free.
    async fn insert_seeded_job(&mut self, image: &SeedImage<'_>, now: i64) -> Result<()> {
        self
            .execute(
                "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, worker, lease_until, attempts,
                     started_at, reported_at, done_bytes, total_bytes)
                 VALUES ($1, $2, $1, $1, $3, $4, $5, 1, $3, $6, $7, $8)",
                &[
                    (&image.id).into(),
                    image.account.into(),
                    image.create_time.into(),
                    SEED_WORKER.into(),
                    i64::MAX.into(),
                    now.into(),
                    image.done_bytes.into(),
                    image.size_bytes.into(),
                ],
            )
            .await
            .map(drop)
    }
}
