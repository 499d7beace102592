/// The number of an account, counted from 1 and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Owns the platform's images. It has no keys; only the operator acts for it.
    pub const PLATFORM: Self = Self(0);
}
