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
    id: String,
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
    let catalog = &library.catalog;
    match catalog.start_transfer(account, &id, now, now.saturating_add(secs_max)).await? {
        StartTransfer::Unlimited => Ok(None),
        StartTransfer::Started => Ok(Some(Counted { catalog: catalog.clone(), id })),
        StartTransfer::OverLimit(over) => Err(Error::OverLimit(over)),
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Without a runtime, the process ends, and the next one frees the row.
        let Ok(runtime) = Handle::try_current() else { return };
        let (catalog, id) = (self.catalog.clone(), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            if let Err(error) = catalog.end_transfer(&id).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "a transfer that has ended still counts for its account");
            }
        });
    }
}
