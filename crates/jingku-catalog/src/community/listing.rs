use crate::ImageStatus;
use crate::Result;
use crate::database::{Transaction, row};
use crate::images::row::CHANGED;

/// Whether an image is to be in the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication<'a> {
    /// Unpublishes it or withdraws it from review. Does nothing if it is neither public nor in review.
    Private,
    /// Submits it for review. Does nothing if it is public or in review.
    Public(Submission<'a>),
}

/// How an image is submitted for review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission<'a> {
    /// The unique id of the group to create if it belongs to none.
    pub new_group_id: &'a str,
    /// The new name of its group; `None` keeps the current name or, for a new group, uses that of the image.
    pub community_name: Option<&'a str>,
    /// Whether to approve it in the same transaction.
    pub approve: bool,
    /// Whether to reject images that were not made from a container.
    pub containers_only: bool,
}

row! {
    pub(crate) struct Listing {
        pub(crate) status: ImageStatus = "i.status",
        pub(crate) public: bool = "i.visibility",
        pub(crate) container: bool = "i.container",
        pub(crate) group_id: String = "i.group_id",
        pub(crate) version_name: String = "i.version_name",
        pub(crate) community_name: String = "i.community_name",
        pub(crate) submitted_at: i64 = "i.submitted_at",
        pub(crate) submitted_ordinal: i64 = "i.submitted_ordinal",
        pub(crate) pub_time: i64 = "i.pub_time",
        pub(crate) published_ordinal: i64 = "i.published_ordinal",
        pub(crate) failed_reason: String = "i.failed_reason",
    }
}

impl Listing {
    /// Returns whether it is public or in review.
    pub(crate) fn is_listed(&self) -> bool {
        self.public || self.status == ImageStatus::Reviewing
    }

    pub(super) fn submit(&mut self, now: i64, ordinal: i64) {
        self.status = ImageStatus::Reviewing;
        self.submitted_at = now;
        self.submitted_ordinal = ordinal;
        self.failed_reason.clear();
    }

    pub(super) fn approve(&mut self, now: i64, ordinal: i64) {
        self.status = ImageStatus::Available;
        self.public = true;
        self.pub_time = now;
        self.published_ordinal = ordinal;
    }

    pub(super) fn unpublish(&mut self, reason: &str) {
        self.status = ImageStatus::Offline;
        self.public = false;
        self.pub_time = 0;
        self.published_ordinal = 0;
        reason.clone_into(&mut self.failed_reason);
    }

    pub(super) async fn save(&self, transaction: &mut Transaction, id: &str, now: i64) -> Result<()> {
        let sql = format!(
            "UPDATE images SET {CHANGED}, status = $2, visibility = $3, group_id = $4, version_name = $5, community_name = $6,
                       submitted_at = $7, pub_time = $8, failed_reason = $9, update_time = $10,
                       submitted_ordinal = $11, published_ordinal = $12,
                       favorites_count = COALESCE((SELECT favorites_count FROM image_groups WHERE id = $4), 0)
                   WHERE id = $1"
        );
        let params = [
            id.into(),
            self.status.as_str().into(),
            self.public.into(),
            (&self.group_id).into(),
            (&self.version_name).into(),
            (&self.community_name).into(),
            self.submitted_at.into(),
            self.pub_time.into(),
            (&self.failed_reason).into(),
            now.into(),
            self.submitted_ordinal.into(),
            self.published_ordinal.into(),
        ];
        transaction.execute(&sql, &params).await.map(drop)
    }
}

impl Transaction {
    /// Returns whether another version of the group has the name. Images without a group or a version name never conflict.
    pub(crate) async fn version_taken(&mut self, id: &str, listing: &Listing) -> Result<bool> {
        if listing.group_id.is_empty() || listing.version_name.is_empty() {
            return Ok(false);
        }
        let sql = "SELECT id FROM images
                   WHERE group_id = $1 AND group_id <> '' AND version_name = $2 AND id <> $3 AND deleted_at IS NULL";
        let params = [(&listing.group_id).into(), (&listing.version_name).into(), id.into()];
        self.exists(sql, &params).await
    }
}
