use crate::AccountId;
use crate::database::Param;

/// Says which images a caller can see, and which it can change.
///
/// A parameter of every query of images, and the one place that decides: what is outside the scope is as if
/// it did not exist, in rows, counts and outcomes.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    owner: AccountId,
}

impl Scope {
    /// The images of the account itself.
    pub const fn own(account: AccountId) -> Self {
        Self { owner: account }
    }

    /// The condition on `images AS i` that lets through what can be seen. `$1` is [`Scope::param`].
    pub(crate) const VISIBLE: &str = "i.account_id = $1 AND i.deleted_at IS NULL";

    /// The account whose images can be seen and changed.
    pub(crate) const fn owner(self) -> AccountId {
        self.owner
    }

    pub(crate) fn param(self) -> Param<'static> {
        Param::Integer(self.owner.0)
    }
}
