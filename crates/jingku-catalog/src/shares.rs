use crate::accounts::bump_revisions;
use crate::database::{Cells, Params, Read, Transaction};
use crate::images::ImageStatus;
use crate::ordinals::next_ordinal;
use crate::{AccountId, Catalog, CatalogError, Result, Scope};

/// Whom an image is to be shared with, and whom no longer. No account is in both lists.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShareChanges<'a> {
    /// Those that are to see it. One that does already is left as it is.
    pub add: &'a [AccountId],
    /// Those that are to see it no longer. One that does not is left as it is.
    pub remove: &'a [AccountId],
    /// The most accounts an image may be shared with.
    pub shares_max: i64,
}

/// What came of [`Catalog::share_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareImage {
    /// The image is shared as asked for.
    Shared,
    /// There is no such image in the scope.
    NotFound,
    /// The image is of another account, which shares it with this one.
    NotOwn,
    /// The image is not [`ImageStatus::Available`] and was to be shared with somebody.
    NotAvailable,
    /// These accounts do not exist, or are the owner, or the platform.
    Invalid(Vec<AccountId>),
    /// It would be shared with more accounts than it may.
    TooMany,
}

/// An account that an image is shared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its number.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// Since when.
    pub created_at: i64,
}

impl Catalog {
    /// Shares an image with accounts and with others no longer: all of it or, with any other outcome than
    /// [`ShareImage::Shared`], nothing.
    pub async fn share_image(
        &self,
        scope: Scope,
        id: &str,
        changes: ShareChanges<'_>,
        now: i64,
    ) -> Result<ShareImage> {
        self.database
            .write(|mut transaction| async move {
                let named = || changes.add.iter().chain(changes.remove).copied();
                bump_revisions(&mut transaction, named().chain([scope.owner()])).await?;
                if let Some(refusal) = refusal(&mut transaction, scope, id, changes).await? {
                    return transaction.discard(refusal).await;
                }
                for account in changes.remove {
                    let sql = "DELETE FROM shares WHERE image_id = $1 AND account_id = $2";
                    transaction.execute(sql, &[id.into(), (*account).into()]).await?;
                }
                let ordinal = if changes.add.is_empty() { 0 } else { next_ordinal(&mut transaction).await? };
                for account in changes.add {
                    let sql = "INSERT INTO shares (image_id, account_id, created_at, ordinal)
                               VALUES ($1, $2, $3, $4) ON CONFLICT (image_id, account_id) DO NOTHING";
                    let params = [id.into(), (*account).into(), now.into(), ordinal.into()];
                    transaction.execute(sql, &params).await?;
                }
                let shares = viewers(&mut transaction, scope.owner(), id).await?.len();
                if !changes.add.is_empty() && shares > usize::try_from(changes.shares_max).unwrap_or(0) {
                    return transaction.discard(ShareImage::TooMany).await;
                }
                transaction.commit(ShareImage::Shared).await
            })
            .await
    }

    /// Returns the accounts that an image of one's own is shared with, in the order in which they were added, those of
    /// one call by their numbers;
    /// `None` when there is no such image.
    pub async fn image_shares(&self, scope: Scope, id: &str) -> Result<Option<Vec<Share>>> {
        // In no other scope it is anybody's business.
        let scope = Scope::own(scope.owner());
        let sql = format!(
            "SELECT i.id, a.id, a.name, s.created_at
             FROM images i
             LEFT JOIN shares s ON s.image_id = i.id
             LEFT JOIN accounts a ON a.id = s.account_id
             WHERE {} AND i.id = $2
             ORDER BY s.ordinal, s.account_id",
            scope.images(),
        );
        let rows = self.database.query(&sql, &[scope.param(), id.into()]).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let shares = rows.into_iter().filter_map(|row| row.decode("shares", share_cells).transpose());
        shares.collect::<Result<_>>().map(Some)
    }
}

fn share_cells(cells: &mut Cells) -> Read<Option<Share>> {
    cells.text()?;
    // The image is shared with nobody.
    if cells.next_is_null() {
        return Ok(None);
    }
    let account = AccountId(cells.integer()?);
    Ok(Some(Share { account, account_name: cells.text()?, created_at: cells.integer()? }))
}

/// Says why an image cannot be shared so, before anything has changed.
async fn refusal(
    transaction: &mut Transaction,
    scope: Scope,
    id: &str,
    changes: ShareChanges<'_>,
) -> Result<Option<ShareImage>> {
    let own = format!("SELECT i.id, i.status FROM images i WHERE {} AND i.id = $2", scope.images());
    let Some(row) = transaction.query(&own, &[scope.param(), id.into()]).await?.into_iter().next() else {
        let theirs = Scope::shared_with(scope.owner());
        let sql = format!("SELECT i.id FROM images i WHERE {} AND i.id = $2", theirs.images());
        let shared = transaction.exists(&sql, &[theirs.param(), id.into()]).await?;
        return Ok(Some(if shared { ShareImage::NotOwn } else { ShareImage::NotFound }));
    };
    let status = row.decode("images", |cells| {
        cells.text()?;
        cells.word(ImageStatus::parse)
    })?;
    if !changes.add.is_empty() && status != ImageStatus::Available {
        return Ok(Some(ShareImage::NotAvailable));
    }
    let named: Vec<AccountId> = changes.add.iter().chain(changes.remove).copied().collect();
    let mut params = Params::default();
    let ids: Vec<String> = named.iter().map(|account| params.add(*account)).collect();
    let known = format!("SELECT id FROM accounts WHERE id > 0 AND id IN ({})", ids.join(", "));
    let rows = transaction.query(&known, params.as_slice()).await?;
    let known = rows.into_iter().map(|row| row.decode("accounts", Cells::integer).map(AccountId));
    let known: Vec<AccountId> = known.collect::<Result<_>>()?;
    let invalid = |account: &AccountId| *account == scope.owner() || !known.contains(account);
    let invalid: Vec<AccountId> = named.into_iter().filter(invalid).collect();
    Ok((!invalid.is_empty()).then_some(ShareImage::Invalid(invalid)))
}

/// Touches the owner of an image and everybody it is shared with: the first statement of a transaction that
/// changes what all of them see of it.
pub(crate) async fn bump_viewers(transaction: &mut Transaction, owner: AccountId, id: &str) -> Result<()> {
    bump_viewers_and(transaction, owner, id, owner).await
}

/// The same, and one more account with them.
pub(crate) async fn bump_viewers_and(
    transaction: &mut Transaction,
    owner: AccountId,
    id: &str,
    other: AccountId,
) -> Result<()> {
    let before = viewers(transaction, owner, id).await?;
    bump_revisions(transaction, before.iter().copied().chain([owner, other])).await?;
    // Whoever shares the image holds the owner's row, so from here on they stay as they are.
    if viewers(transaction, owner, id).await? == before {
        Ok(())
    } else {
        Err(CatalogError::Contended("the image was shared meanwhile".into()))
    }
}

/// The accounts that an image of `owner` is shared with.
async fn viewers(transaction: &mut Transaction, owner: AccountId, id: &str) -> Result<Vec<AccountId>> {
    let sql = "SELECT s.account_id FROM shares s JOIN images i ON i.id = s.image_id
               WHERE i.id = $1 AND i.account_id = $2 ORDER BY s.account_id";
    let rows = transaction.query(sql, &[id.into(), owner.into()]).await?;
    rows.into_iter().map(|row| row.decode("shares", Cells::integer).map(AccountId)).collect()
}
