use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::RemoveFavoriteImageRequest,
) -> Result<api::RemoveFavoriteImageResponse, Error> {
    let not_found = || Error::ResourceNotFound(request.image_id.to_string());
    let group = call.library.catalog.group_of_image(&request.image_id).await?.ok_or_else(not_found)?;
    if call.library.catalog.remove_favorite(call.account().id, &group).await? {
        Ok(api::RemoveFavoriteImageResponse {})
    } else {
        Err(not_found())
    }
}
