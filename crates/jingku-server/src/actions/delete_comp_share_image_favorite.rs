use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DeleteCompShareImageFavoriteRequest,
) -> Result<api::DeleteCompShareImageFavoriteResponse, Error> {
    if call.library.catalog.remove_favorite(call.account().id, &request.group_id).await? {
        Ok(api::DeleteCompShareImageFavoriteResponse {})
    } else {
        Err(Error::ResourceNotFound(request.group_id.into()))
    }
}
