//! The audit log: entries of the operator's changes, and the removal of old ones.

use std::pin::Pin;

use jingku_catalog::{
    AccountId, AuditEntry, AuditFilter, AuditNote, CatalogError, Channel, NewAuditEntry, VerifiedAudit,
};

use crate::error::LibraryError;
use crate::library::Library;

tokio::task_local! {
    /// The address of the operator's browser that asks for the changes of this task.
    static BROWSER: String;
}

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;
/// Entries removed in one transaction.
const BATCH: u32 = 1000;

/// A change without a request: of a command, or of the server itself.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) channel: Channel,
    /// The account that is changed; [`AccountId::PLATFORM`] for none.
    pub(crate) account: AccountId,
    /// The words of the command.
    pub(crate) action: &'a str,
    /// The object that is changed.
    pub(crate) subject: &'a str,
}

impl<'a> Change<'a> {
    /// A change by the operator, with a command or in the console.
    pub(crate) fn command(action: &'a str, account: AccountId, subject: &'a str) -> Self {
        Self { channel: Channel::Command, account, action, subject }
    }
}

/// Makes changes of the operator for a browser at this address. Their entries have the channel [`Channel::Console`].
pub fn for_browser<T>(
    address: String,
    changes: impl Future<Output = T>,
) -> Pin<Box<impl Future<Output = T>>> {
    // Boxed, because futures of changes are large.
    Box::pin(BROWSER.scope(address, changes))
}

impl Library {
    /// Makes a change with its entry in the audit log.
    pub(crate) async fn audited<T>(&self, change: Change<'_>, run: impl Future<Output = T>) -> T {
        let browser = BROWSER.try_with(String::clone).ok().filter(|_| change.channel == Channel::Command);
        let (channel, address) =
            browser.map_or((change.channel, String::new()), |address| (Channel::Console, address));
        let entry = NewAuditEntry {
            time: self.clock.now(),
            account: change.account,
            channel,
            public_key: String::new(),
            address,
            action: change.action.to_owned(),
            subject: change.subject.to_owned(),
            ret_code: 0,
            request_id: String::new(),
        };
        self.catalog.audited(entry, run).await.0
    }

    /// Changes an image of any account by a command of the operator. The entry belongs to the owner of the image.
    pub(crate) async fn audited_image<T>(
        &self,
        action: &str,
        id: &str,
        run: impl Future<Output = T>,
    ) -> Result<T, CatalogError> {
        let owner = self.catalog.image_owner(id).await?.unwrap_or(AccountId::PLATFORM);
        Ok(self.audited(Change::command(action, owner, id), run).await)
    }

    /// Entries of the audit log before a number, newest first.
    pub async fn audit_entries(
        &self,
        filter: AuditFilter<'_>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, LibraryError> {
        Ok(self.catalog.audit_entries(filter, before, limit).await?)
    }

    /// Verifies the audit log: see [`jingku_catalog::Catalog::verify_audit`].
    pub async fn verify_audit(&self, note: Option<&AuditNote>) -> Result<VerifiedAudit, LibraryError> {
        Ok(self.catalog.verify_audit(note).await?)
    }

    /// Removes entries that have expired at `trusted_now`, see [`Library::trusted_now`], unless stopped. Returns their
    /// number.
    pub(crate) async fn expire_audit(
        &self,
        trusted_now: Option<i64>,
        stopped: impl Fn() -> bool,
    ) -> Result<u64, CatalogError> {
        let keep_days = i64::from(self.config.audit.keep_days);
        let Some(now) = trusted_now.filter(|_| keep_days > 0) else { return Ok(0) };
        let before = now.saturating_sub(keep_days * SECS_OF_A_DAY);
        let mut expired = 0;
        while !stopped() {
            let removed = self.catalog.expire_audit(before, BATCH).await?;
            expired += removed;
            if removed < u64::from(BATCH) {
                break;
            }
        }
        Ok(expired)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::FixedClock;
    use crate::config::Config;
    use crate::environment::Environment;

    async fn actions(library: &Library) -> Vec<(String, String)> {
        let entries = library.audit_entries(AuditFilter::default(), i64::MAX, 100).await.unwrap();
        entries.into_iter().rev().map(|entry| (entry.action, entry.subject)).collect()
    }

    #[tokio::test]
    async fn commands_leave_entries_that_expire() {
        let clock = Arc::new(FixedClock::at(1_800_000_000));
        let environment =
            Environment { clock: Arc::clone(&clock) as Arc<dyn crate::Clock>, ..Environment::default() };
        let mut config = Config::default();
        config.audit.keep_days = 2;
        let library = Library::open_in_memory(&config, &environment).await.unwrap();
        let (account, pair) = library.create_account("lab").await.unwrap();
        library.set_account_limits(account.id.0, &[(crate::Limit::Images, Some(5))]).await.unwrap();
        library.revoke_key(&pair.public_key).await.unwrap();
        // Neither is a change.
        library.revoke_key(&pair.public_key).await.unwrap_err();
        library.approve_image("compshareImage-none").await.unwrap_err();
        let entry = |action: &str, subject: &str| (action.to_owned(), subject.to_owned());
        let expected = [
            entry("account create", "lab"),
            entry("key create", &pair.public_key),
            entry("account limit", "1"),
            entry("key revoke", &pair.public_key),
        ];
        assert_eq!(actions(&library).await, expected);
        clock.pass(SECS_OF_A_DAY.try_into().unwrap());
        library.create_account("other").await.unwrap();
        clock.pass(SECS_OF_A_DAY.try_into().unwrap());
        assert_eq!(library.expire_audit(None, || false).await.unwrap(), 0);
        assert_eq!(library.expire_audit(library.trusted_now(), || false).await.unwrap(), 0);
        clock.pass(1);
        assert_eq!(library.expire_audit(library.trusted_now(), || false).await.unwrap(), 4);
        assert_eq!(actions(&library).await.len(), 2);
        let verified = library.verify_audit(None).await.unwrap();
        assert_eq!((verified.read, verified.findings), (2, vec![]));
    }
}
