use super::create::{NewImage, Origin};
use super::row::{CHANGED, ImageStatus};
use crate::database::{Transaction, json_list};
use crate::jobs::row::{NewJob, SEEDED};
use crate::ordinals::Position;
use crate::{AccountId, Catalog, Result, Scope, Source};

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
#[derive(Clone, Debug, Default)]
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

/// The outcome of [`Catalog::seed_images`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedImages {
    /// All were inserted.
    Seeded,
    /// Another image of the account has this name. Nothing was changed.
    NameTaken(String),
}

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
            let mut images: Vec<&SeedImage<'_>> = images.iter().collect();
            images.sort_by_key(|image| image.create_time);
            for image in images {
                let scope = Scope::own(image.account);
                if image.status != ImageStatus::UnAvailable
                    && transaction.name_taken(scope, &image.name, &image.id).await?
                {
                    return transaction.discard(SeedImages::NameTaken(image.name.clone())).await;
                }
                transaction.insert_seed(image, now).await?;
                if image.status == ImageStatus::Making {
                    // The real instance, if any, is free.
                    let (id, source) = (&image.id, Source::Instance(image.id.clone()));
                    let total_bytes = image.size_bytes;
                    let job = NewJob { id, image_id: id, source: &source, options: "", total_bytes };
                    transaction.insert_job(scope, job, image.create_time).await?;
                    transaction.seed_job(id, image.done_bytes, now).await?;
                }
            }
            for group in groups {
                transaction.seed_favorites(&group.id, &group.favored_by, now).await?;
                let sql = "UPDATE image_groups SET recommend_count = $2 WHERE id = $1";
                let params = [(&group.id).into(), group.recommend_count.into()];
                transaction.execute(sql, &params).await?;
                transaction.refresh_group(&group.id).await?;
            }
            transaction.commit(SeedImages::Seeded).await
        };
        self.database.write(change).await
    }

    /// Advances seeded images in status `Making` to a percentage of their size. Those that are further are unchanged.
    pub async fn advance_seeded_jobs(&self, percent: i64, now: i64) -> Result<u64> {
        let sql = format!(
            "UPDATE jobs SET done_bytes = (total_bytes * $1 + 99) / 100, reported_at = $2
             WHERE {SEEDED} AND finished_at IS NULL AND done_bytes < (total_bytes * $1 + 99) / 100"
        );
        self.database.execute(&sql, &[percent.into(), now.into()]).await
    }

    /// Returns the distinct sizes in bytes of seeded images in status `Making`.
    pub async fn seeded_job_sizes(&self) -> Result<Vec<i64>> {
        let sql = format!("SELECT DISTINCT total_bytes FROM jobs WHERE {SEEDED} AND finished_at IS NULL");
        self.database.scan(AccountId::PLATFORM, &sql, &[]).await?.all("jobs")
    }

    /// Makes seeded images of one size in status `Making` available with a manifest.
    pub async fn complete_seeded_jobs(&self, size_bytes: i64, manifest: &str, now: i64) -> Result<u64> {
        let change = |mut transaction: Transaction| async move {
            let of_size = format!("{SEEDED} AND finished_at IS NULL AND total_bytes = $1");
            let owners = format!(
                "UPDATE accounts SET revision = revision + 1
                 WHERE id IN (SELECT account_id FROM jobs WHERE {of_size})"
            );
            transaction.execute(&owners, &[size_bytes.into()]).await?;
            let images = format!(
                "UPDATE images SET {CHANGED}, status = 'Available', manifest = $2, update_time = $3
                 WHERE id IN (SELECT image_id FROM jobs WHERE {of_size})"
            );
            transaction.execute(&images, &[size_bytes.into(), manifest.into(), now.into()]).await?;
            let jobs = format!(
                "UPDATE jobs SET finished_at = $2, outcome = 'done', lease_until = NULL,
                     done_bytes = total_bytes, reported_at = $2 WHERE {of_size}"
            );
            let ended = transaction.execute(&jobs, &[size_bytes.into(), now.into()]).await?;
            transaction.commit(ended).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    async fn insert_seed(&mut self, image: &SeedImage<'_>, now: i64) -> Result<()> {
        let new = NewImage {
            id: &image.id,
            name: &image.name,
            description: image.description,
            instance_id: image.source_instance_id,
            softwares: None,
            software_ports: "[]",
            firewall_ports: &[],
            options: "",
        };
        let origin = Origin {
            region: image.region.to_owned(),
            zone: image.zone.to_owned(),
            gpu_type: image.source_gpu_type.to_owned(),
            size_bytes: image.size_bytes,
        };
        let scope = Scope::own(image.account);
        let position = self.insert_image(scope, &new, &origin, image.status, image.create_time).await?;
        let Position { ordinal, create_time, .. } = position;
        let public = image.version.is_some() && image.status == ImageStatus::Available;
        let (submitted_at, submitted_ordinal) =
            if image.version.is_some() { (create_time, ordinal) } else { (0, 0) };
        let (pub_time, published_ordinal) = if public { (create_time, ordinal) } else { (0, 0) };
        let version = image.version.clone().unwrap_or_default();
        let sql = format!(
            "UPDATE images SET {CHANGED}, tags = $2, price_cents = $3, supported_gpu_types = $4, failed_reason = $5,
                       manifest = $6, readme = $7, container = $8, platform_type = $9, group_id = $10,
                       version_name = $11, version_desc = $12, community_name = $13, submitted_at = $14,
                       submitted_ordinal = $15, visibility = $16, pub_time = $17, published_ordinal = $18
                   WHERE id = $1"
        );
        let params = [
            (&image.id).into(),
            json_list(image.tags).into(),
            image.price_cents.into(),
            json_list(image.supported_gpu_types).into(),
            image.failed_reason.into(),
            image.manifest.into(),
            image.readme.into(),
            image.container.into(),
            image.platform_type.into(),
            version.group_id.into(),
            version.version_name.into(),
            version.version_desc.into(),
            version.community_name.into(),
            submitted_at.into(),
            submitted_ordinal.into(),
            public.into(),
            pub_time.into(),
            published_ordinal.into(),
        ];
        self.execute(&sql, &params).await?;
        self.insert_shares(&image.id, image.shared_with, ordinal, now).await
    }
}
