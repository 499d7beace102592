//! The permission for a transfer.

use jingku_catalog::{AccountId, Catalog, StartTransfer};
use jingku_library::{Library, unique_id};
use tokio::runtime::Handle;

use super::slots::{Slot, Slots};
use crate::error::Error;
use crate::limits::TRANSFER_TIME_MAX;

/// A slot and, if the account has a limit of transfers, a row of the catalogue. Both are freed on drop.
pub(crate) struct Permit {
    _slot: Slot,
    _counted: Option<Counted>,
}

struct Counted {
    catalog: Catalog,
    /// The row to remove; `None` if there is none.
    id: Option<String>,
    /// A transfer may end on a thread without a runtime.
    runtime: Handle,
}

impl Permit {
    /// Takes a permit. Refuses with `Throttled` if there is no slot, or with `OverLimit`.
    pub(crate) async fn take(library: &Library, slots: &Slots, account: AccountId) -> Result<Self, Error> {
        let slot = slots.take(account)?;
        // A read-only library counts nothing.
        let counted = if library.is_read_only() { None } else { count(library, account).await? };
        Ok(Self { _slot: slot, _counted: counted })
    }
}

async fn count(library: &Library, account: AccountId) -> Result<Option<Counted>, Error> {
    let (id, now) = (unique_id(&*library.random), library.clock.now());
    let secs_max = i64::try_from(TRANSFER_TIME_MAX.as_secs()).unwrap_or(i64::MAX);
    // It exists before the row: the client may disconnect in between, or the row may be there although its commit failed.
    let catalog = library.catalog.clone();
    let mut counted = Counted { catalog, id: Some(id.clone()), runtime: Handle::current() };
    let expires_at = now.saturating_add(secs_max);
    let started = library.catalog.start_transfer(account, &id, now, expires_at).await?;
    if started == StartTransfer::Started {
        return Ok(Some(counted));
    }
    counted.id = None;
    match started {
        StartTransfer::OverLimit(over) => Err(Error::OverLimit(over)),
        _ => Ok(None),
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let catalog = self.catalog.clone();
        self.runtime.spawn(async move {
            if let Err(error) = catalog.end_transfer(&id).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "a transfer that has ended still counts for its account");
            }
        });
    }
}
