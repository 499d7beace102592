use jingku_catalog::{AccountId, ShareChanges, ShareImage};
use jingku_library::SHARES_MAX;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ModifyCompShareImageShareAccountRequest,
) -> Result<api::ModifyCompShareImageShareAccountResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    // The order of adding and removing is undefined.
    if request.add_accounts.iter().any(|account| request.remove_accounts.contains(account)) {
        return Err(Error::not_available("RemoveAccounts"));
    }
    let (add, remove) = (accounts(&request.add_accounts), accounts(&request.remove_accounts));
    let changes = ShareChanges { add: &add, remove: &remove, shares_max: SHARES_MAX };
    let (id, now) = (request.image_id, call.library.clock.now());
    let invalid = match call.library.catalog.share_image(call.own(), &id, changes, now).await? {
        ShareImage::Shared => Vec::new(),
        ShareImage::Invalid(accounts) => accounts,
        ShareImage::NotFound => return Err(Error::ResourceNotFound(id.into())),
        ShareImage::NotOwn => return Err(Error::ReshareRefused(id.into())),
        ShareImage::NotAvailable => return Err(Error::ImageNotAvailable(id.into())),
        ShareImage::TooMany => return Err(Error::TooManyShares(id.into())),
    };
    let invalid_accounts = invalid.into_iter().map(|account| account.0).collect();
    Ok(api::ModifyCompShareImageShareAccountResponse { invalid_accounts })
}

fn accounts(numbers: &[i64]) -> Vec<AccountId> {
    numbers.iter().copied().map(AccountId).collect()
}
