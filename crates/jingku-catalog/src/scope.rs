use crate::AccountId;
use crate::database::Param;

/// Says which images a caller can see, and which it can change.
///
/// A parameter of every query of images, and the one place that decides: what is outside the scope is as if
/// it did not exist, in rows, counts and outcomes. An account sees its own images, those shared with it, those
/// published and those of the platform, and changes its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    account: AccountId,
    reach: Reach,
    /// Who waits for the answer: accounts take turns at what takes long.
    requester: AccountId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Own,
    Everybody,
    SharedWith,
    PublishedBy,
    Published,
    Visible,
}

/// The condition on `images AS i` that lets through what the account of `instances AS n` may see at all: that of
/// [`Scope::visible_to`], for an account that is not a parameter.
pub(crate) const VISIBLE_TO_INSTANCE: &str = "i.deleted_at IS NULL
     AND (i.account_id = n.account_id OR i.account_id = 0 OR i.visibility = 1
          OR EXISTS (SELECT 1 FROM shares s WHERE s.image_id = i.id AND s.account_id = n.account_id))";

impl Scope {
    /// The images of the account itself. The only scope in which images can be changed.
    pub const fn own(account: AccountId) -> Self {
        Self::of(account, Reach::Own)
    }

    /// The images that others share with the account.
    pub const fn shared_with(account: AccountId) -> Self {
        Self::of(account, Reach::SharedWith)
    }

    /// The images in the community, of any account.
    pub const fn published() -> Self {
        Self::of(AccountId::PLATFORM, Reach::Published)
    }

    /// The images in the community that the account published.
    pub const fn published_by(account: AccountId) -> Self {
        Self::of(account, Reach::PublishedBy)
    }

    /// The images of the platform.
    pub const fn platform() -> Self {
        Self::own(AccountId::PLATFORM)
    }

    /// The images of all accounts and of the platform: the operator's view, which no caller of the API has.
    pub const fn everybody() -> Self {
        Self::of(AccountId::PLATFORM, Reach::Everybody)
    }

    /// Its own images, those shared with it, those published and the platform's: whatever the account may see at all.
    pub const fn visible_to(account: AccountId) -> Self {
        Self::of(account, Reach::Visible)
    }

    const fn of(account: AccountId, reach: Reach) -> Self {
        Self { account, reach, requester: account }
    }

    /// The same images, asked for by an account that is not the scope's own.
    #[must_use]
    pub const fn requested_by(self, requester: AccountId) -> Self {
        Self { requester, ..self }
    }

    /// The condition on `images AS i` that lets through what can be seen. `$1` is [`Scope::param`].
    pub(crate) const fn images(self) -> &'static str {
        match self.reach {
            Reach::Own => "i.account_id = $1 AND i.deleted_at IS NULL",
            Reach::Everybody => "i.account_id >= $1 AND i.deleted_at IS NULL",
            Reach::SharedWith => {
                "i.deleted_at IS NULL AND i.id IN (SELECT image_id FROM shares WHERE account_id = $1)"
            }
            Reach::PublishedBy => "i.account_id = $1 AND i.visibility = 1 AND i.deleted_at IS NULL",
            // The platform publishes nothing: its images are elsewhere.
            Reach::Published => "i.account_id <> $1 AND i.visibility = 1 AND i.deleted_at IS NULL",
            Reach::Visible => {
                "i.deleted_at IS NULL AND (i.account_id = $1 OR i.account_id = 0 OR i.visibility = 1
                  OR i.id IN (SELECT image_id FROM shares WHERE account_id = $1))"
            }
        }
    }

    /// The condition on `image_groups AS g` that lets through the groups with a version that can be seen.
    /// `$1` is [`Scope::param`].
    pub(crate) const fn groups(self) -> &'static str {
        match self.reach {
            Reach::Own => "g.account_id = $1 AND g.versions > 0",
            Reach::Everybody => "g.account_id >= $1",
            Reach::PublishedBy => "g.account_id = $1 AND g.public_versions > 0",
            Reach::Published => "g.account_id <> $1 AND g.public_versions > 0",
            Reach::SharedWith | Reach::Visible => {
                "((g.account_id = $1 AND g.versions > 0) OR g.public_versions > 0)"
            }
        }
    }

    /// Whether the images are all those of one account, so that counters and indexes of that account serve.
    pub(crate) const fn is_one_account(self) -> bool {
        matches!(self.reach, Reach::Own)
    }

    /// The account whose images are to be changed.
    pub(crate) const fn owner(self) -> AccountId {
        assert!(self.is_one_account(), "only one's own images are changed");
        self.account
    }

    pub(crate) const fn requester(self) -> AccountId {
        self.requester
    }

    pub(crate) fn param(self) -> Param<'static> {
        Param::Integer(self.account.0)
    }
}
