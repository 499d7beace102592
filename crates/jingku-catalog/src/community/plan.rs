//! Plans a change of an image's community state, then applies it.

use super::listing::{Listing, Publication, Submission};
use crate::database::Transaction;
use crate::text_search::fold;
use crate::{ImageChanges, ImageEvent, ImageStatus, Result, Scope};

pub(crate) struct PublishPlan<'a> {
    pub(super) listing: Listing,
    submission: Option<Submission<'a>>,
    new_group: bool,
}

/// Why a change of an image's group, version or publication is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishRefusal {
    /// The account has no such group.
    GroupNotFound,
    /// Another image of the group has this version name.
    VersionTaken(String),
    /// It cannot be published: it is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`].
    NotAvailable,
    /// It cannot be published: it was not made from a container.
    NotFromContainer,
}

impl Transaction {
    pub(crate) async fn plan_publication<'a>(
        &mut self,
        scope: Scope,
        id: &str,
        listing: &Listing,
        changes: &ImageChanges<'a>,
    ) -> Result<std::result::Result<PublishPlan<'a>, PublishRefusal>> {
        let mut plan = PublishPlan { listing: listing.clone(), submission: None, new_group: false };
        if changes.publication == Some(Publication::Private) && listing.is_listed() {
            plan.listing.unpublish("");
        }
        if let Some(Publication::Public(submission)) = changes.publication
            && !listing.is_listed()
        {
            if submission.containers_only && !listing.container {
                return Ok(Err(PublishRefusal::NotFromContainer));
            }
            if !matches!(listing.status, ImageStatus::Available | ImageStatus::Offline) {
                return Ok(Err(PublishRefusal::NotAvailable));
            }
            plan.submission = Some(submission);
        }
        if let Some(group) = changes.group_id
            && group != listing.group_id
        {
            let sql = "SELECT id FROM image_groups WHERE account_id = $1 AND id = $2";
            if !self.exists(sql, &[scope.param(), group.into()]).await? {
                return Ok(Err(PublishRefusal::GroupNotFound));
            }
            group.clone_into(&mut plan.listing.group_id);
        }
        if let Some(version) = changes.version_name {
            version.clone_into(&mut plan.listing.version_name);
        }
        if let Some(submission) = plan.submission
            && plan.listing.group_id.is_empty()
        {
            submission.new_group_id.clone_into(&mut plan.listing.group_id);
            plan.new_group = true;
        }
        if self.version_taken(id, &plan.listing).await? {
            if changes.version_name.is_some() || plan.submission.is_none() {
                return Ok(Err(PublishRefusal::VersionTaken(plan.listing.version_name)));
            }
            plan.listing.version_name.clear();
        }
        if plan.submission.is_some() && plan.listing.version_name.is_empty() {
            plan.listing.version_name = self.next_version(&plan.listing.group_id).await?;
        }
        Ok(Ok(plan))
    }

    /// Applies a plan and refreshes the groups. Returns the ordinal of the submission, if any.
    pub(crate) async fn apply_plan(
        &mut self,
        scope: Scope,
        id: &str,
        before: &Listing,
        plan: PublishPlan<'_>,
        now: i64,
    ) -> Result<Option<i64>> {
        let PublishPlan { mut listing, submission, new_group } = plan;
        let mut submitted = None;
        if let Some(submission) = submission {
            let ordinal = self.next_ordinal().await?;
            submitted = Some(ordinal);
            listing.submit(now, ordinal);
            if new_group {
                self.insert_group(scope, &listing.group_id, now).await?;
            }
            match submission.community_name {
                Some(name) => name.clone_into(&mut listing.community_name),
                None if new_group || listing.group_id == before.group_id => {}
                None => listing.community_name = self.group_name(&listing.group_id).await?,
            }
            if submission.approve {
                listing.approve(now, ordinal);
            }
        }
        listing.save(self, id, now).await?;
        if before.group_id != listing.group_id {
            self.refresh_group(&before.group_id).await?;
        }
        self.refresh_group(&listing.group_id).await?;
        if submission.is_some_and(|submission| submission.approve) {
            self.announce(ImageEvent::Published, id, now).await?;
        }
        Ok(submitted)
    }

    pub(crate) async fn insert_group(&mut self, scope: Scope, id: &str, now: i64) -> Result<()> {
        let owner = self.query("SELECT name FROM accounts WHERE id = $1", &[scope.param()]).await?;
        let folded_author = fold(&owner.first::<String>("accounts")?.unwrap_or_default());
        let sql = "INSERT INTO image_groups (
                       account_id, id, name, description, recommend_count, favorites_count, created_at, versions,
                       public_versions, pub_time, price_cents, auto_start, tags, created_count, image_use_time_hours,
                       folded_name, folded_author
                   ) VALUES ($1, $2, '', '', 0, 0, $3, 0, 0, 0, 0, 0, '[]', 0, 0, '', $4)";
        let params = [scope.param(), id.into(), now.into(), (&folded_author).into()];
        self.execute(sql, &params).await.map(drop)
    }

    async fn group_name(&mut self, id: &str) -> Result<String> {
        let rows = self.query("SELECT name FROM image_groups WHERE id = $1", &[id.into()]).await?;
        Ok(rows.first("image_groups")?.unwrap_or_default())
    }

    /// Returns the version name after the highest of the form `vN.0`.
    async fn next_version(&mut self, group: &str) -> Result<String> {
        let sql =
            "SELECT version_name FROM images WHERE group_id = $1 AND group_id <> '' AND deleted_at IS NULL";
        let names: Vec<String> = self.query(sql, &[group.into()]).await?.all("images")?;
        let number = |name: &String| name.strip_prefix('v')?.strip_suffix(".0")?.parse().ok();
        // The largest number has no successor; such a name is ignored.
        let highest = names.iter().filter_map(number).filter(|number| *number < u32::MAX).max();
        Ok(format!("v{}.0", highest.unwrap_or(0) + 1))
    }
}
