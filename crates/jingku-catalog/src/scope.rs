use crate::AccountId;
use crate::database::Value;

/// The images that a caller can see and change.
///
/// A parameter of every query of images, and the only access decision. Images outside the scope look exactly like images
/// that do not exist, in rows, counts and outcomes. An account sees its own images, those shared with it, published ones
/// and the platform's; it changes only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    account: AccountId,
    reach: Reach,
    /// The account that scans are charged to.
    requester: AccountId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Own,
    Trash,
    Everybody,
    SharedWith,
    PublishedBy,
    Published,
    Visible,
}

/// The condition of [`Scope::visible_to`] on `images AS i` for the account of `instances AS n`.
pub(crate) const VISIBLE_TO_INSTANCE: &str = "i.deleted_at IS NULL
     AND (i.account_id = n.account_id OR i.account_id = 0 OR i.visibility = 1
          OR EXISTS (SELECT 1 FROM shares s WHERE s.image_id = i.id AND s.account_id = n.account_id))";

impl Scope {
    /// The account's own images. Only these can be changed.
    pub const fn own(account: AccountId) -> Self {
        Self::of(account, Reach::Own)
    }

    /// The account's own images in the trash. They can only be restored or purged.
    pub const fn trash(account: AccountId) -> Self {
        Self::of(account, Reach::Trash)
    }

    /// The images shared with the account.
    pub const fn shared_with(account: AccountId) -> Self {
        Self::of(account, Reach::SharedWith)
    }

    /// The community images of all accounts.
    pub const fn published() -> Self {
        Self::of(AccountId::PLATFORM, Reach::Published)
    }

    /// The community images of the account.
    pub const fn published_by(account: AccountId) -> Self {
        Self::of(account, Reach::PublishedBy)
    }

    /// The platform's images.
    pub const fn platform() -> Self {
        Self::own(AccountId::PLATFORM)
    }

    /// All images: the operator's view, not available in the API.
    pub const fn everybody() -> Self {
        Self::of(AccountId::PLATFORM, Reach::Everybody)
    }

    /// All images the account can see: its own, those shared with it, published ones and the platform's.
    pub const fn visible_to(account: AccountId) -> Self {
        Self::of(account, Reach::Visible)
    }

    const fn of(account: AccountId, reach: Reach) -> Self {
        Self { account, reach, requester: account }
    }

    /// The same images, requested by another account.
    #[must_use]
    pub const fn requested_by(self, requester: AccountId) -> Self {
        Self { requester, ..self }
    }

    /// Returns the condition on `images AS i`. `$1` is [`Scope::param`].
    pub(crate) const fn images(self) -> &'static str {
        match self.reach {
            Reach::Own => "i.account_id = $1 AND i.deleted_at IS NULL",
            Reach::Trash => "i.account_id = $1 AND i.deleted_at IS NOT NULL",
            Reach::Everybody => "i.account_id >= $1 AND i.deleted_at IS NULL",
            Reach::SharedWith => {
                "i.deleted_at IS NULL AND i.id IN (SELECT image_id FROM shares WHERE account_id = $1)"
            }
            Reach::PublishedBy => "i.account_id = $1 AND i.visibility = 1 AND i.deleted_at IS NULL",
            // The platform publishes nothing.
            Reach::Published => "i.account_id <> $1 AND i.visibility = 1 AND i.deleted_at IS NULL",
            Reach::Visible => {
                "i.deleted_at IS NULL AND (i.account_id = $1 OR i.account_id = 0 OR i.visibility = 1
                  OR i.id IN (SELECT image_id FROM shares WHERE account_id = $1))"
            }
        }
    }

    /// Returns the same condition, for images that are found in another way: it looks up the share of each, where
    /// [`Scope::images`] would read all that is shared with the account.
    pub(crate) const fn found_images(self) -> &'static str {
        match self.reach {
            Reach::SharedWith => {
                "i.deleted_at IS NULL
                 AND EXISTS (SELECT 1 FROM shares s WHERE s.image_id = i.id AND s.account_id = $1)"
            }
            Reach::Visible => {
                "i.deleted_at IS NULL AND (i.account_id = $1 OR i.account_id = 0 OR i.visibility = 1
                  OR EXISTS (SELECT 1 FROM shares s WHERE s.image_id = i.id AND s.account_id = $1))"
            }
            Reach::Own | Reach::Trash | Reach::Everybody | Reach::PublishedBy | Reach::Published => {
                self.images()
            }
        }
    }

    /// Returns the condition that `image_groups AS g` has a visible version. `$1` is [`Scope::param`].
    pub(crate) const fn groups(self) -> &'static str {
        match self.reach {
            Reach::Own => "g.account_id = $1 AND g.versions > 0",
            // An image in the trash is a version of no group.
            Reach::Trash => "g.account_id = $1 AND FALSE",
            Reach::Everybody => "g.account_id >= $1",
            Reach::PublishedBy => "g.account_id = $1 AND g.public_versions > 0",
            Reach::Published => "g.account_id <> $1 AND g.public_versions > 0",
            Reach::SharedWith | Reach::Visible => {
                "((g.account_id = $1 AND g.versions > 0) OR g.public_versions > 0)"
            }
        }
    }

    /// Returns whether these are all images of one account, so its counters and indexes apply.
    pub(crate) const fn is_one_account(self) -> bool {
        matches!(self.reach, Reach::Own)
    }

    /// Returns the account that the scope is of.
    pub const fn account(self) -> AccountId {
        self.account
    }

    pub(crate) const fn owner(self) -> AccountId {
        assert!(self.is_one_account(), "an account changes only its own images");
        self.account
    }

    pub(crate) const fn requester(self) -> AccountId {
        self.requester
    }

    pub(crate) fn param(self) -> Value<'static> {
        self.account.into()
    }

    /// Selects the id, then columns, of the image `$2` if it is in the scope. The parameters are [`Scope::image_params`].
    pub(crate) fn select_image(self, columns: &str) -> String {
        format!("SELECT i.id, {columns} FROM images i WHERE {} AND i.id = $2", self.found_images())
    }

    pub(crate) fn image_params(self, id: &str) -> [Value<'_>; 2] {
        [self.param(), id.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    /// However much is shared with the account.
    #[tokio::test]
    async fn the_share_of_a_found_image_is_looked_up() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        for scope in [Scope::shared_with(AccountId(1)), Scope::visible_to(AccountId(1))] {
            let plan =
                catalog.database.plan(&scope.select_image("i.name"), &scope.image_params("image")).await;
            let index = "(image_id=? AND account_id=?)";
            assert!(plan.contains(index) && !plan.contains("LIST SUBQUERY"), "{plan}");
        }
    }
}
