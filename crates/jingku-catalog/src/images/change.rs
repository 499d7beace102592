use super::row::ImageStatus;
use crate::answers::{Answer, DELETED_SECS, find_answer, keep_answer};
use crate::community::{self, Listing, Publication};
use crate::database::{Param, Transaction, json_list};
use crate::ordinals::next_ordinal;
use crate::shares::bump_viewers;
use crate::{AccountId, Catalog, CoverChange, Result, Scope, covers, uploads};

/// What to change of an image; `None` leaves a field as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Image`")]
pub struct ImageChanges<'a> {
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub tags: Option<&'a [&'a str]>,
    pub cover: Option<&'a CoverChange>,
    pub readme: Option<&'a str>,
    pub publication: Option<Publication<'a>>,
    pub price_cents: Option<i64>,
    pub auto_start: Option<bool>,
    pub softwares: Option<&'a str>,
    pub supported_gpu_types: Option<&'a [&'a str]>,
    pub software_ports: Option<&'a str>,
    pub firewall_ports: Option<&'a [i64]>,
    pub group_id: Option<&'a str>,
    pub version_name: Option<&'a str>,
    pub version_desc: Option<&'a str>,
}

/// What came of [`Catalog::update_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateImage {
    /// The image is as asked for.
    Updated,
    /// There is no such image in the scope.
    NotFound,
    /// Another image of the account holds the name.
    NameTaken,
    /// The account has no such group.
    GroupNotFound,
    /// Another image of the group has the version's name, which is this.
    VersionTaken(String),
    /// It is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`], so that it cannot be published.
    NotAvailable,
    /// It was not made from a container, and only such images were to be published.
    NotFromContainer,
}

/// What came of [`Catalog::delete_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteImage {
    /// The image is in the trash.
    Deleted,
    /// It was deleted before, within [`DELETED_SECS`](crate::DELETED_SECS), and is not there any more.
    AlreadyDeleted,
    /// There is no such image in the scope; it may have been deleted long ago.
    NotFound,
    /// It is public or waits to be: it has to be taken down first.
    Published,
}

impl Catalog {
    /// Changes facts about an image, and brings its group up to date with them.
    pub async fn update_image(
        &self,
        scope: Scope,
        id: &str,
        changes: ImageChanges<'_>,
        now: i64,
    ) -> Result<UpdateImage> {
        self.database
            .write(|mut transaction| async move {
                bump_viewers(&mut transaction, scope.owner(), id).await?;
                let Some(image) = find_state(&mut transaction, scope, id).await? else {
                    return transaction.discard(UpdateImage::NotFound).await;
                };
                if changes == ImageChanges::default() {
                    return transaction.discard(UpdateImage::Updated).await;
                }
                if let Some(name) = changes.name
                    && image.listing.status != ImageStatus::UnAvailable
                    && name_taken(&mut transaction, scope, name, id).await?
                {
                    return transaction.discard(UpdateImage::NameTaken).await;
                }
                let listing =
                    match community::plan(&mut transaction, scope, id, &image.listing, &changes).await? {
                        Ok(listing) => listing,
                        Err(refusal) => return transaction.discard(refusal).await,
                    };
                update(&mut transaction, scope, id, &changes, now).await?;
                community::apply_plan(&mut transaction, scope, id, &image.listing, listing, now).await?;
                transaction.commit(UpdateImage::Updated).await
            })
            .await
    }

    /// Moves an image to the trash. Its name is free at once, nobody shares in it any more, and the job that makes
    /// it, if any, is cancelled: its worker learns it from its next heartbeat. An upload of it ends.
    pub async fn delete_image(&self, scope: Scope, id: &str, now: i64) -> Result<DeleteImage> {
        self.database
            .write(|mut transaction| async move {
                let owner = scope.owner();
                bump_viewers(&mut transaction, owner, id).await?;
                let request = format!("delete {id}");
                let Some(image) = find_state(&mut transaction, scope, id).await? else {
                    let before = find_answer(&mut transaction, owner, &request, now).await?;
                    let outcome = before.map_or(DeleteImage::NotFound, |_| DeleteImage::AlreadyDeleted);
                    return transaction.discard(outcome).await;
                };
                if image.listing.is_listed() {
                    return transaction.discard(DeleteImage::Published).await;
                }
                let ordinal = next_ordinal(&mut transaction).await?;
                let delete = "UPDATE images SET deleted_at = $2, deleted_ordinal = $3 WHERE id = $1";
                transaction.execute(delete, &[id.into(), now.into(), ordinal.into()]).await?;
                let answer = Answer { request: &request, text: "", ordinal, secs: DELETED_SECS };
                keep_answer(&mut transaction, owner, answer, now).await?;
                count(&mut transaction, owner, &image.zone, -1).await?;
                transaction.execute("DELETE FROM shares WHERE image_id = $1", &[id.into()]).await?;
                let cancel = "UPDATE jobs SET finished_at = $2, outcome = 'cancelled', lease_until = NULL
                              WHERE image_id = $1 AND finished_at IS NULL";
                transaction.execute(cancel, &[id.into(), now.into()]).await?;
                uploads::forget(&mut transaction, id).await?;
                community::refresh_group(&mut transaction, &image.listing.group_id).await?;
                transaction.commit(DeleteImage::Deleted).await
            })
            .await
    }
}

/// What a change looks at first.
pub(crate) struct ImageState {
    pub(super) name: String,
    pub(super) zone: String,
    /// How it stands towards the community.
    pub(crate) listing: Listing,
}

pub(crate) async fn find_state(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
) -> Result<Option<ImageState>> {
    let condition = format!("{} AND i.id = $2", scope.images());
    find_state_where(transaction, &condition, &[scope.param(), id.into()]).await
}

/// The same of the one image that fulfils a condition on `images AS i`.
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
    let row = transaction.query(&sql, params).await?.into_iter().next();
    row.map(|row| {
        row.decode("images", |cells| {
            cells.text()?;
            Ok(ImageState {
                name: cells.text()?,
                zone: cells.text()?,
                listing: Listing {
                    status: cells.word(ImageStatus::parse)?,
                    public: cells.integer()? != 0,
                    container: cells.integer()? != 0,
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
        })
    })
    .transpose()
}

pub(crate) async fn update(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
    changes: &ImageChanges<'_>,
    now: i64,
) -> Result<()> {
    let tags = changes.tags.map(json_list);
    let supported_gpu_types = changes.supported_gpu_types.map(json_list);
    let firewall_ports = changes.firewall_ports.map(json_list);
    transaction
        .execute(
            "UPDATE images SET
                 update_time = $3,
                 name = COALESCE($4, name),
                 description = COALESCE($5, description),
                 tags = COALESCE($6, tags),
                 readme = COALESCE($7, readme),
                 price_cents = COALESCE($8, price_cents),
                 auto_start = COALESCE($9, auto_start),
                 softwares = COALESCE($10, softwares),
                 supported_gpu_types = COALESCE($11, supported_gpu_types),
                 software_ports = COALESCE($12, software_ports),
                 firewall_ports = COALESCE($13, firewall_ports),
                 version_desc = COALESCE($14, version_desc)
             WHERE account_id = $1 AND id = $2",
            &[
                scope.param(),
                id.into(),
                now.into(),
                changes.name.into(),
                changes.description.into(),
                tags.as_deref().into(),
                changes.readme.into(),
                changes.price_cents.into(),
                changes.auto_start.map(i64::from).into(),
                changes.softwares.into(),
                supported_gpu_types.as_deref().into(),
                changes.software_ports.into(),
                firewall_ports.as_deref().into(),
                changes.version_desc.into(),
            ],
        )
        .await?;
    match changes.cover {
        Some(cover) => covers::set_cover(transaction, scope, id, cover).await,
        None => Ok(()),
    }
}

/// Says whether another image than `id` holds the name. Stays true as long as the transaction.
pub(crate) async fn name_taken(
    transaction: &mut Transaction,
    scope: Scope,
    name: &str,
    id: &str,
) -> Result<bool> {
    let sql = "SELECT id FROM images
               WHERE account_id = $1 AND name = $2 AND id <> $3 AND deleted_at IS NULL AND status <> 'UnAvailable'";
    transaction.exists(sql, &[scope.param(), name.into(), id.into()]).await
}

/// Keeps the number of images of a zone, which pages show as their total.
pub(crate) async fn count(
    transaction: &mut Transaction,
    account: AccountId,
    zone: &str,
    difference: i64,
) -> Result<()> {
    let sql = "INSERT INTO image_counts (account_id, zone, images) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, zone) DO UPDATE SET images = image_counts.images + $3";
    transaction.execute(sql, &[account.into(), zone.into(), difference.into()]).await.map(drop)
}
