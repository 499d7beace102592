//! Enforces the limit of distinct bytes. The catalogue does not know chunks, so the caller counts them, outside of a
//! transaction. The transaction that adds a manifest accepts a count only if it covers all manifests of the account.

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Limit, OverLimit, Result};

row! {
    /// A manifest that images of an account need, in the trash or not.
    pub struct StoredManifest {
        /// Its name.
        pub name: String = "manifest",
        /// At least as many bytes as its distinct chunks have: its size without zeros or, if unknown, with zeros.
        pub data_bytes: i64 = "MAX(COALESCE(data_bytes, size_bytes))",
    }
}

/// The bytes of distinct chunks, as they were counted for a new image.
#[derive(Clone, Copy, Debug)]
pub struct UniqueBytes<'a> {
    /// The manifests that were counted: those of [`JobEnd::Uncounted`](crate::JobEnd::Uncounted).
    pub manifests: &'a [StoredManifest],
    /// The bytes of their distinct chunks.
    pub used: i64,
    /// The bytes of the distinct chunks of the new manifest that none of them has.
    pub more: i64,
}

/// Whether the account may get the image.
pub(crate) enum UniqueCheck {
    Fits,
    OverLimit(OverLimit),
    /// These manifests must be counted first.
    Uncounted(Vec<StoredManifest>),
}

impl Catalog {
    /// Checks whether the account may have the chunks of a new manifest. The transaction must lock the account.
    pub(crate) async fn check_unique_bytes(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        new: (&str, i64),
        count: Option<UniqueBytes<'_>>,
    ) -> Result<UniqueCheck> {
        if account == AccountId::PLATFORM {
            return Ok(UniqueCheck::Fits);
        }
        let max = self.account_max(transaction, account, Limit::UniqueBytes).await?;
        if max == i64::MAX {
            return Ok(UniqueCheck::Fits);
        }
        let (name, data_bytes) = new;
        let manifests = transaction.stored_manifests(account).await?;
        // Adding nothing is allowed even above a lowered limit.
        if manifests.binary_search_by(|one| (*one.name).cmp(name)).is_ok() {
            return Ok(UniqueCheck::Fits);
        }
        // If they fit without sharing any chunk, nothing must be counted.
        let sizes = manifests.iter().map(|one| one.data_bytes);
        if sizes.fold(data_bytes, i64::saturating_add) <= max {
            return Ok(UniqueCheck::Fits);
        }
        let Some(UniqueBytes { manifests: counted, used, more }) = count else {
            return Ok(UniqueCheck::Uncounted(manifests));
        };
        let is_counted =
            |one: &StoredManifest| counted.binary_search_by(|other| other.name.cmp(&one.name)).is_ok();
        if !manifests.iter().all(is_counted) {
            return Ok(UniqueCheck::Uncounted(manifests));
        }
        // Manifests that were counted and have gone since only make the sum too large.
        if used.saturating_add(more) <= max {
            return Ok(UniqueCheck::Fits);
        }
        if manifests.len() < counted.len() {
            return Ok(UniqueCheck::Uncounted(manifests));
        }
        if more == 0 {
            return Ok(UniqueCheck::Fits);
        }
        Ok(UniqueCheck::OverLimit(OverLimit { limit: Limit::UniqueBytes, used, more, max }))
    }
}

impl Transaction {
    /// Returns the distinct manifests of an account, in order of their names.
    async fn stored_manifests(&mut self, account: AccountId) -> Result<Vec<StoredManifest>> {
        let sql = format!(
            "SELECT {} FROM images WHERE account_id = $1 AND manifest IS NOT NULL GROUP BY manifest",
            StoredManifest::COLUMNS
        );
        let mut manifests: Vec<StoredManifest> = self.query(&sql, &[account.into()]).await?.all("images")?;
        // Databases compare texts in their own ways.
        manifests.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(manifests)
    }
}
