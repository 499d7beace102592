use crate::database::{Params, Row, Transaction, row};
use crate::{AccountId, Catalog, CatalogError, ImageEvent, ImageStatus, Result, Scope};

/// Accounts to share an image with, and accounts to stop sharing it with. No account is in both lists.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShareChanges<'a> {
    /// Accounts to add. Accounts it is already shared with are unchanged.
    pub add: &'a [AccountId],
    /// Accounts to remove. Accounts it is not shared with are unchanged.
    pub remove: &'a [AccountId],
    /// The most accounts an image may be shared with.
    pub shares_max: i64,
}

/// The outcome of [`Catalog::share_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareImage {
    /// All changes were made.
    Shared,
    /// There is no such image in the scope.
    NotFound,
    /// The image belongs to another account, which shares it with this one.
    NotOwn,
    /// The image to share is not [`ImageStatus::Available`].
    NotAvailable,
    /// These accounts do not exist, or are the owner or the platform.
    Invalid(Vec<AccountId>),
    /// It would be shared with too many accounts.
    TooMany,
}

row! {
    /// An account that an image is shared with.
    pub struct Share {
        /// Its number.
        pub account: AccountId = "a.id",
        /// Its name.
        pub account_name: String = "a.name",
        /// When it was added.
        pub created_at: i64 = "s.created_at",
    }
}

impl Catalog {
    /// Shares an image with accounts and stops sharing it with others: all changes or, unless the outcome is
    /// [`ShareImage::Shared`], none.
    pub async fn share_image(
        &self,
        scope: Scope,
        id: &str,
        changes: ShareChanges<'_>,
        now: i64,
    ) -> Result<ShareImage> {
        let change = |mut transaction: Transaction| async move {
            let accounts = changes.add.iter().chain(changes.remove).copied();
            transaction.bump_revisions(accounts.chain([scope.owner()])).await?;
            if let Some(refusal) = transaction.check_shares(scope, id, changes).await? {
                return transaction.discard(refusal).await;
            }
            transaction.note_shares(changes.remove).await?;
            for account in changes.remove {
                let sql = "DELETE FROM shares WHERE image_id = $1 AND account_id = $2";
                transaction.execute(sql, &[id.into(), (*account).into()]).await?;
            }
            if changes.add.is_empty() {
                return transaction.commit(ShareImage::Shared).await;
            }
            let before = transaction.viewers(scope.owner(), id).await?;
            let ordinal = transaction.next_ordinal().await?;
            transaction.insert_shares(id, changes.add, ordinal, now).await?;
            let shares = transaction.viewers(scope.owner(), id).await?;
            if shares.len() > usize::try_from(changes.shares_max).unwrap_or(0) {
                return transaction.discard(ShareImage::TooMany).await;
            }
            let added: Vec<_> = shares.into_iter().filter(|account| !before.contains(account)).collect();
            if !added.is_empty() {
                transaction.announce_with(ImageEvent::Shared, id, &added, now).await?;
            }
            transaction.commit(ShareImage::Shared).await
        };
        self.database.write(change).await
    }

    /// Returns the accounts that an own image is shared with, in the order they were added, those of one call by number;
    /// `None` if there is no such image.
    pub async fn image_shares(&self, scope: Scope, id: &str) -> Result<Option<Vec<Share>>> {
        // Only the owner may see the shares.
        let scope = Scope::own(scope.owner());
        let sql = format!(
            "SELECT i.id, {}
             FROM images i
             LEFT JOIN shares s ON s.image_id = i.id
             LEFT JOIN accounts a ON a.id = s.account_id
             WHERE {} AND i.id = $2
             ORDER BY s.ordinal, s.account_id",
            Share::COLUMNS,
            scope.images(),
        );
        let rows = self.database.query(&sql, &scope.image_params(id)).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let shares = rows.all_with("shares", |cells| {
            let _id = String::read(cells)?;
            cells.nullable::<Share>()
        });
        Ok(Some(shares?.into_iter().flatten().collect()))
    }
}

impl Transaction {
    /// Returns why an image cannot be shared in this way.
    async fn check_shares(
        &mut self,
        scope: Scope,
        id: &str,
        changes: ShareChanges<'_>,
    ) -> Result<Option<ShareImage>> {
        let Some(image) = self.find_state(scope, id).await? else {
            let theirs = Scope::shared_with(scope.owner());
            let shared = self.exists(&theirs.select_image("i.id"), &theirs.image_params(id)).await?;
            return Ok(Some(if shared { ShareImage::NotOwn } else { ShareImage::NotFound }));
        };
        if !changes.add.is_empty() && image.listing.status != ImageStatus::Available {
            return Ok(Some(ShareImage::NotAvailable));
        }
        let accounts = [changes.add, changes.remove].concat();
        let mut params = Params::default();
        let known = format!("SELECT id FROM accounts WHERE id > 0 AND id IN ({})", params.add_all(&accounts));
        let known: Vec<AccountId> = self.query(&known, params.as_slice()).await?.all("accounts")?;
        let invalid = |account: &AccountId| *account == scope.owner() || !known.contains(account);
        let invalid: Vec<AccountId> = accounts.into_iter().filter(invalid).collect();
        Ok((!invalid.is_empty()).then_some(ShareImage::Invalid(invalid)))
    }

    /// Shares an image with accounts that do not see it yet.
    pub(crate) async fn insert_shares(
        &mut self,
        image: &str,
        accounts: &[AccountId],
        ordinal: i64,
        now: i64,
    ) -> Result<()> {
        self.note_shares(accounts).await?;
        for account in accounts {
            let sql = "INSERT INTO shares (image_id, account_id, created_at, ordinal, image_time, image_ordinal, zone)
                       SELECT id, $2, $3, $4, create_time, ordinal, zone FROM images WHERE id = $1
                       ON CONFLICT (image_id, account_id) DO NOTHING";
            self.execute(sql, &[image.into(), (*account).into(), now.into(), ordinal.into()]).await?;
        }
        Ok(())
    }

    /// Stops sharing an image, whose viewers' revisions the transaction has bumped.
    pub(crate) async fn delete_shares(&mut self, image: &str) -> Result<()> {
        let note = "UPDATE accounts SET shares_changed = revision
                    WHERE id IN (SELECT account_id FROM shares WHERE image_id = $1)";
        self.execute(note, &[image.into()]).await?;
        self.execute("DELETE FROM shares WHERE image_id = $1", &[image.into()]).await.map(drop)
    }

    /// Records that what is shared with accounts changes, after their revisions.
    async fn note_shares(&mut self, accounts: &[AccountId]) -> Result<()> {
        for account in accounts {
            let sql = "UPDATE accounts SET shares_changed = revision WHERE id = $1";
            self.execute(sql, &[(*account).into()]).await?;
        }
        Ok(())
    }

    /// Bumps the revisions of the owner and the viewers of an image: the first step of a change of what they see of it.
    pub(crate) async fn bump_viewers(&mut self, owner: AccountId, id: &str) -> Result<()> {
        self.bump_viewers_and(owner, id, owner).await
    }

    /// Bumps the revisions of the viewers of an image and of one more account.
    pub(crate) async fn bump_viewers_and(
        &mut self,
        owner: AccountId,
        id: &str,
        other: AccountId,
    ) -> Result<()> {
        let before = self.viewers(owner, id).await?;
        self.bump_revisions(before.iter().copied().chain([owner, other])).await?;
        // Sharing locks the owner's row, so from here on the viewers do not change.
        if self.viewers(owner, id).await? == before {
            Ok(())
        } else {
            Err(CatalogError::Contended("the image was shared concurrently".into()))
        }
    }

    /// Returns the accounts that an image of `owner` is shared with.
    async fn viewers(&mut self, owner: AccountId, id: &str) -> Result<Vec<AccountId>> {
        let sql = "SELECT s.account_id FROM shares s JOIN images i ON i.id = s.image_id
                   WHERE i.id = $1 AND i.account_id = $2 ORDER BY s.account_id";
        self.query(sql, &[id.into(), owner.into()]).await?.all("shares")
    }
}
