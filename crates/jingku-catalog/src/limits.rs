/// A resource that is limited per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Images outside the trash, in any status.
    Images,
    /// Images in the trash. An account at this limit gets no new image: otherwise one that creates and deletes in turn
    /// would fill the catalogue.
    Trashed,
    /// Bytes of images that are not zeros, including the trash. Images of the same content count once. Compression and
    /// chunks shared with other images do not count: they would reveal what other accounts store.
    StoredBytes,
    /// Bytes of the distinct chunks of its images, including the trash, before compression. Counted only for accounts with
    /// this limit, by [`JobEnd::Uncounted`](crate::JobEnd::Uncounted); the usage shown is that of the last
    /// [`UsageSample`](crate::UsageSample).
    UniqueBytes,
    /// Unfinished uploads.
    Uploads,
    /// Bytes of uploaded files until their images are made: the announced size without holes or, if unknown, the bytes
    /// stored so far.
    UploadBytes,
    /// Images waiting to be made or being made, including unfinished uploads.
    Jobs,
    /// Downloads and uploads that run at the same time. Counted only for accounts with this limit.
    Transfers,
}

impl Limit {
    /// All limits, in display order.
    pub const ALL: [Self; 8] = [
        Self::Images,
        Self::Trashed,
        Self::StoredBytes,
        Self::UniqueBytes,
        Self::Uploads,
        Self::UploadBytes,
        Self::Jobs,
        Self::Transfers,
    ];
}

/// The limits of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Limit`")]
pub struct AccountLimits {
    pub images: i64,
    pub trashed: i64,
    pub stored_bytes: i64,
    pub unique_bytes: i64,
    pub uploads: i64,
    pub upload_bytes: i64,
    pub jobs: i64,
    pub transfers: i64,
}

impl AccountLimits {
    /// No limits.
    pub const NONE: Self = Self {
        images: i64::MAX,
        trashed: i64::MAX,
        stored_bytes: i64::MAX,
        unique_bytes: i64::MAX,
        uploads: i64::MAX,
        upload_bytes: i64::MAX,
        jobs: i64::MAX,
        transfers: i64::MAX,
    };

    /// Returns the maximum of one limit.
    pub fn get(&self, limit: Limit) -> i64 {
        match limit {
            Limit::Images => self.images,
            Limit::Trashed => self.trashed,
            Limit::StoredBytes => self.stored_bytes,
            Limit::UniqueBytes => self.unique_bytes,
            Limit::Uploads => self.uploads,
            Limit::UploadBytes => self.upload_bytes,
            Limit::Jobs => self.jobs,
            Limit::Transfers => self.transfers,
        }
    }
}

/// A rejected change that would have exceeded a limit. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// The limit.
    pub limit: Limit,
    /// The current usage.
    pub used: i64,
    /// How much more the change needs.
    pub more: i64,
    /// The maximum.
    pub max: i64,
}

/// The usage of one limit by an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `OverLimit`")]
pub struct LimitState {
    pub limit: Limit,
    pub used: i64,
    /// [`i64::MAX`] without a limit.
    pub max: i64,
    /// Whether the operator has set the maximum for this account.
    pub own: bool,
}
