use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CreateCompShareImageFavoriteRequest,
) -> Result<api::CreateCompShareImageFavoriteResponse, Error> {
    let (account, now) = (call.account().id, call.library.clock.now());
    if call.library.catalog.add_favorite(account, &request.group_id, now).await? {
        Ok(api::CreateCompShareImageFavoriteResponse {})
    } else {
        Err(Error::ResourceNotFound(request.group_id.into()))
    }
}
