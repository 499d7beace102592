use jingku_catalog::AddFavorite;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CreateCompShareImageFavoriteRequest,
) -> Result<api::CreateCompShareImageFavoriteResponse, Error> {
    let (account, now) = (call.account().id, call.library.clock.now());
    match call.library.catalog.add_favorite(account, &request.group_id, now).await? {
        AddFavorite::Favored => Ok(api::CreateCompShareImageFavoriteResponse {}),
        AddFavorite::NotFound => Err(Error::ResourceNotFound(request.group_id.into())),
    }
}
