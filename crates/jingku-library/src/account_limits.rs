//! Limits of one account.

use jingku_catalog::{AccountId, CatalogError, Limit, LimitState, OverLimit};

use crate::audit::Change;
use crate::disk_space::MARGIN_BYTES;
use crate::error::LibraryError;
use crate::library::Library;
use crate::limits::UPLOAD_ROOM_SHARE;

const MB: i64 = 1 << 20;

/// The refusal that the owner of an account reads. It states use and limit of the account, and what the change asks for,
/// and nothing of the server.
pub fn limit_refusal(over: &OverLimit) -> String {
    let OverLimit { limit, used, more, max } = *over;
    let (used_size, more_size, max_size) = (size(used, MB - 1), size(more, MB - 1), size(max, 0));
    match limit {
        Limit::Images => format!(
            "The account has {used} images and asks for {more} more, but may have {max}; delete some, or ask the operator \
             for more"
        ),
        Limit::Trashed => format!(
            "The account has {used} deleted images that are still kept and asks for {more} more image, but may have \
             {max}; wait until they are gone for good, or ask the operator"
        ),
        Limit::StoredBytes => format!(
            "The account's images hold {used_size} of data, the deleted ones that are still kept included, and the change \
             asks for at least {more_size} more, but they may hold {max_size}; delete some, or ask the operator for more"
        ),
        Limit::UniqueBytes => format!(
            "The account's images hold {used_size} of deduplicated data, the deleted ones that are still kept included, and \
             the image adds {more_size} more, but they may hold {max_size}; delete some, or ask the operator for more"
        ),
        Limit::Uploads => format!(
            "The account has {used} unfinished uploads and asks for {more} more, but may have {max}; finish or delete one"
        ),
        Limit::UploadBytes => format!(
            "The files that the account has uploaded have {used_size} and the account asks for {more_size} more, but they \
             may have {max_size} until images are made of them; finish or delete one"
        ),
        Limit::Jobs => format!(
            "The account has {used} images that wait or are being made and asks for {more} more, but may have {max}; wait \
             for one, or delete one"
        ),
        Limit::Transfers => format!(
            "The account runs {used} transfers and asks for {more} more, but may run {max} at the same time; wait until \
             one ends, or ask the operator for more"
        ),
    }
}

/// A size in MB after so many bytes were added to round it, or in bytes if it is less than one MB.
fn size(bytes: i64, rounding: i64) -> String {
    if bytes < MB { format!("{bytes} bytes") } else { format!("{} MB", bytes.saturating_add(rounding) / MB) }
}

impl Library {
    /// Use and limits of an account.
    pub async fn account_limits(&self, account: i64) -> Result<Vec<LimitState>, LibraryError> {
        let account = self.require_account(account).await?;
        Ok(self.catalog.account_limits(account.id).await?)
    }

    /// Sets limits of one account; `None` restores the server's default.
    pub async fn set_account_limits(
        &self,
        account: i64,
        limits: &[(Limit, Option<i64>)],
    ) -> Result<(), LibraryError> {
        let id = AccountId(account);
        let subject = account.to_string();
        let set = self.catalog.set_account_limits(id, limits);
        let set = self.audited(Change::command("account limit", id, &subject), set).await?;
        if set { Ok(()) } else { Err(LibraryError::NoAccount(account)) }
    }

    /// How many bytes the uploaded files of one account may occupy now, so that space is left for others.
    pub async fn upload_share(&self) -> Result<i64, CatalogError> {
        let Some(disk_space) = self.disk_space.clone() else { return Ok(i64::MAX) };
        // If the free space is unknown, the store reports a full disk itself.
        let free = tokio::task::spawn_blocking(move || disk_space.free_bytes()).await;
        let Ok(Ok(free)) = free else { return Ok(i64::MAX) };
        let stored = self.catalog.uploads().await?.iter().map(|upload| upload.stored_bytes).sum::<i64>();
        let held = u64::try_from(stored).unwrap_or(0);
        let available = free.saturating_sub(MARGIN_BYTES).saturating_add(held);
        Ok(i64::try_from(available / UPLOAD_ROOM_SHARE).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_use_request_and_limit() {
        for limit in Limit::ALL {
            let text = limit_refusal(&OverLimit { limit, used: 7 * MB, more: 3 * MB, max: 9 * MB });
            let bytes = matches!(limit, Limit::StoredBytes | Limit::UniqueBytes | Limit::UploadBytes);
            for number in [7, 3, 9] {
                let number = if bytes { number } else { number * MB };
                assert!(text.contains(&format!(" {number}")), "{text}");
            }
        }
    }
}
