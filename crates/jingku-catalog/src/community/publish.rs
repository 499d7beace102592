use super::summary::refresh_group;
use crate::accounts::bump_revision;
use crate::answers::{ANSWER_SECS, Answer, find_answer, keep_answer};
use crate::database::{Cells, Transaction};
use crate::fold::fold;
use crate::images::{find_state, update};
use crate::ordinals::next_ordinal;
use crate::{Catalog, ImageChanges, ImageStatus, Result, Scope, UpdateImage};

/// Whether an image is to be in the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication<'a> {
    /// Takes it down, or back from review. Leaves an image alone that is neither public nor waits.
    Private,
    /// Hands it in for review. Leaves an image alone that is public or waits already.
    Public(Submission<'a>),
}

/// How an image is handed in for review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission<'a> {
    /// The id of the group that is made for it when it belongs to none; no group had it before.
    pub new_group_id: &'a str,
    /// What its group is to be called; `None`: as it is called already, or else as the image.
    pub community_name: Option<&'a str>,
    /// Approves it in the same transaction.
    pub approve: bool,
    /// Refuses an image that was not made from a container.
    pub containers_only: bool,
}

/// What came of [`Catalog::publish_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishImage {
    /// It waits for review, or is public already, as a version of this group.
    Published(String),
    /// There is no such image in the scope.
    NotFound,
    /// It is public already, or waits to be.
    AlreadyPublished,
    /// It was not made from a container, and only such images were to be published.
    NotFromContainer,
    /// It is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`].
    NotAvailable,
    /// The account has no such group.
    GroupNotFound,
    /// Another image of the group has the version's name.
    VersionTaken,
}

/// How an image stands towards the community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) status: ImageStatus,
    pub(crate) public: bool,
    pub(crate) container: bool,
    pub(crate) group_id: String,
    pub(crate) version_name: String,
    pub(crate) community_name: String,
    pub(crate) submitted_at: i64,
    pub(crate) submitted_ordinal: i64,
    pub(crate) pub_time: i64,
    pub(crate) published_ordinal: i64,
    pub(crate) failed_reason: String,
}

impl Listing {
    /// Whether it is public or waits to be.
    pub(crate) fn is_listed(&self) -> bool {
        self.public || self.status == ImageStatus::Reviewing
    }

    /// Makes it public at this moment.
    pub(super) fn approve(&mut self, now: i64, ordinal: i64) {
        self.status = ImageStatus::Available;
        self.public = true;
        self.pub_time = now;
        self.published_ordinal = ordinal;
    }

    /// Makes it private, with all its bits.
    pub(super) fn take_down(&mut self, reason: &str) {
        self.status = ImageStatus::Offline;
        self.public = false;
        self.pub_time = 0;
        self.published_ordinal = 0;
        reason.clone_into(&mut self.failed_reason);
    }
}

/// Where an image is to stand.
pub(crate) struct PublishPlan<'a> {
    listing: Listing,
    submission: Option<Submission<'a>>,
    new_group: bool,
}

impl Catalog {
    /// Hands an image in for review, as a version of the group in `changes` or of its own, and changes facts about it.
    ///
    /// `changes` has neither a name nor a publication. Without a version name the image keeps its own; if it has none,
    /// or another version has it, it is called by the number after the highest: `v1.0`, `v2.0`, …
    ///
    /// `request` names the request for it. Within [`ANSWER_SECS`](crate::ANSWER_SECS) the same request is no error while the
    /// image is public or waits.
    pub async fn publish_image(
        &self,
        scope: Scope,
        id: &str,
        submission: Submission<'_>,
        changes: ImageChanges<'_>,
        request: Option<&str>,
        now: i64,
    ) -> Result<PublishImage> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, scope.owner()).await?;
                let Some(image) = find_state(&mut transaction, scope, id).await? else {
                    return transaction.discard(PublishImage::NotFound).await;
                };
                let owner = scope.owner();
                if image.listing.is_listed() {
                    let before = match request {
                        Some(request) => find_answer(&mut transaction, owner, request, now).await?,
                        None => None,
                    };
                    let outcome = before.map_or(PublishImage::AlreadyPublished, PublishImage::Published);
                    return transaction.discard(outcome).await;
                }
                let changes = ImageChanges { publication: Some(Publication::Public(submission)), ..changes };
                let planned = match plan(&mut transaction, scope, id, &image.listing, &changes).await? {
                    Ok(planned) => planned,
                    Err(refusal) => return transaction.discard(refusal.into()).await,
                };
                let group = planned.listing.group_id.clone();
                update(&mut transaction, scope, id, &changes, now).await?;
                let ordinal = apply_plan(&mut transaction, scope, id, &image.listing, planned, now).await?;
                if let (Some(request), Some(ordinal)) = (request, ordinal) {
                    let answer = Answer { request, text: &group, ordinal, secs: ANSWER_SECS };
                    keep_answer(&mut transaction, owner, answer, now).await?;
                }
                transaction.commit(PublishImage::Published(group)).await
            })
            .await
    }
}

impl From<UpdateImage> for PublishImage {
    fn from(refusal: UpdateImage) -> Self {
        match refusal {
            UpdateImage::NotFound => Self::NotFound,
            UpdateImage::GroupNotFound => Self::GroupNotFound,
            UpdateImage::VersionTaken(_) => Self::VersionTaken,
            UpdateImage::NotAvailable => Self::NotAvailable,
            UpdateImage::NotFromContainer => Self::NotFromContainer,
            UpdateImage::Updated | UpdateImage::NameTaken => unreachable!("a plan neither ends nor names"),
        }
    }
}

/// Says where the changes put an image, or why they cannot. Changes nothing.
pub(crate) async fn plan<'a>(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
    listing: &Listing,
    changes: &ImageChanges<'a>,
) -> Result<std::result::Result<PublishPlan<'a>, UpdateImage>> {
    let mut planned = PublishPlan { listing: listing.clone(), submission: None, new_group: false };
    if changes.publication == Some(Publication::Private) && listing.is_listed() {
        planned.listing.take_down("");
    }
    if let Some(Publication::Public(submission)) = changes.publication
        && !listing.is_listed()
    {
        if submission.containers_only && !listing.container {
            return Ok(Err(UpdateImage::NotFromContainer));
        }
        if !matches!(listing.status, ImageStatus::Available | ImageStatus::Offline) {
            return Ok(Err(UpdateImage::NotAvailable));
        }
        planned.submission = Some(submission);
    }
    if let Some(group) = changes.group_id
        && group != listing.group_id
    {
        if !has_group(transaction, scope, group).await? {
            return Ok(Err(UpdateImage::GroupNotFound));
        }
        group.clone_into(&mut planned.listing.group_id);
    }
    if let Some(version) = changes.version_name {
        version.clone_into(&mut planned.listing.version_name);
    }
    if let Some(submission) = planned.submission
        && planned.listing.group_id.is_empty()
    {
        submission.new_group_id.clone_into(&mut planned.listing.group_id);
        planned.new_group = true;
    }
    if version_taken(transaction, id, &planned.listing).await? {
        if changes.version_name.is_some() || planned.submission.is_none() {
            return Ok(Err(UpdateImage::VersionTaken(planned.listing.version_name)));
        }
        planned.listing.version_name.clear();
    }
    if planned.submission.is_some() && planned.listing.version_name.is_empty() {
        planned.listing.version_name = next_version(transaction, &planned.listing.group_id).await?;
    }
    Ok(Ok(planned))
}

/// Puts an image where it is planned to stand, and brings its groups up to date. Returns the ordinal of its submission, if
/// it was handed in.
pub(crate) async fn apply_plan(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
    before: &Listing,
    planned: PublishPlan<'_>,
    now: i64,
) -> Result<Option<i64>> {
    let PublishPlan { mut listing, submission, new_group } = planned;
    let mut submitted = None;
    if let Some(submission) = submission {
        let ordinal = next_ordinal(transaction).await?;
        submitted = Some(ordinal);
        listing.status = ImageStatus::Reviewing;
        listing.submitted_at = now;
        listing.submitted_ordinal = ordinal;
        listing.failed_reason.clear();
        if new_group {
            insert_group(transaction, scope, &listing.group_id, now).await?;
        }
        match submission.community_name {
            Some(name) => name.clone_into(&mut listing.community_name),
            None if new_group || listing.group_id == before.group_id => {}
            None => listing.community_name = group_name(transaction, &listing.group_id).await?,
        }
        if submission.approve {
            listing.approve(now, ordinal);
        }
    }
    save_listing(transaction, id, &listing, now).await?;
    if before.group_id != listing.group_id {
        refresh_group(transaction, &before.group_id).await?;
    }
    refresh_group(transaction, &listing.group_id).await?;
    Ok(submitted)
}

/// Writes down where an image stands.
pub(super) async fn save_listing(
    transaction: &mut Transaction,
    id: &str,
    listing: &Listing,
    now: i64,
) -> Result<()> {
    let sql = "UPDATE images SET status = $2, visibility = $3, group_id = $4, version_name = $5, community_name = $6,
                   submitted_at = $7, pub_time = $8, failed_reason = $9, update_time = $10,
                   submitted_ordinal = $11, published_ordinal = $12,
                   favorites_count = COALESCE((SELECT favorites_count FROM image_groups WHERE id = $4), 0)
               WHERE id = $1";
    let params = [
        id.into(),
        listing.status.as_str().into(),
        i64::from(listing.public).into(),
        (&listing.group_id).into(),
        (&listing.version_name).into(),
        (&listing.community_name).into(),
        listing.submitted_at.into(),
        listing.pub_time.into(),
        (&listing.failed_reason).into(),
        now.into(),
        listing.submitted_ordinal.into(),
        listing.published_ordinal.into(),
    ];
    transaction.execute(sql, &params).await.map(drop)
}

async fn has_group(transaction: &mut Transaction, scope: Scope, id: &str) -> Result<bool> {
    let sql = "SELECT id FROM image_groups WHERE account_id = $1 AND id = $2";
    transaction.exists(sql, &[scope.param(), id.into()]).await
}

/// Makes a group without versions; its facts follow from the first one.
pub(crate) async fn insert_group(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
    now: i64,
) -> Result<()> {
    let owner = "SELECT name FROM accounts WHERE id = $1";
    let owner = transaction.query(owner, &[scope.param()]).await?.into_iter().next();
    let author = owner.map(|row| row.decode("accounts", Cells::text)).transpose()?.unwrap_or_default();
    let sql = "INSERT INTO image_groups (
                   account_id, id, name, description, recommend_count, favorites_count, created_at, versions,
                   public_versions, pub_time, price_cents, auto_start, tags, created_count, image_use_time_hours,
                   folded_name, folded_author
               ) VALUES ($1, $2, '', '', 0, 0, $3, 0, 0, 0, 0, 0, '[]', 0, 0, '', $4)";
    let folded_author = fold(&author);
    let params = [scope.param(), id.into(), now.into(), (&folded_author).into()];
    transaction.execute(sql, &params).await.map(drop)
}

async fn group_name(transaction: &mut Transaction, id: &str) -> Result<String> {
    let rows = transaction.query("SELECT name FROM image_groups WHERE id = $1", &[id.into()]).await?;
    let name = rows.into_iter().next().map(|row| row.decode("image_groups", Cells::text)).transpose()?;
    Ok(name.unwrap_or_default())
}

/// Says whether another version of the group has the name. Images without a group or a name do not conflict.
pub(crate) async fn version_taken(
    transaction: &mut Transaction,
    id: &str,
    listing: &Listing,
) -> Result<bool> {
    if listing.group_id.is_empty() || listing.version_name.is_empty() {
        return Ok(false);
    }
    let sql = "SELECT id FROM images
               WHERE group_id = $1 AND group_id <> '' AND version_name = $2 AND id <> $3 AND deleted_at IS NULL";
    transaction.exists(sql, &[(&listing.group_id).into(), (&listing.version_name).into(), id.into()]).await
}

/// The version name after the highest of the form `vN.0`.
async fn next_version(transaction: &mut Transaction, group: &str) -> Result<String> {
    let sql = "SELECT version_name FROM images WHERE group_id = $1 AND group_id <> '' AND deleted_at IS NULL";
    let mut highest = 0;
    for row in transaction.query(sql, &[group.into()]).await? {
        let name = row.decode("images", Cells::text)?;
        let number = name.strip_prefix('v').and_then(|name| name.strip_suffix(".0")?.parse().ok());
        // One that is near the end of the numbers was not counted up to.
        highest = highest.max(number.filter(|number| *number < u32::MAX).unwrap_or(0));
    }
    Ok(format!("v{}.0", highest + 1))
}
