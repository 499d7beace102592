use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::AddFavoriteImageRequest,
) -> Result<api::AddFavoriteImageResponse, Error> {
    let not_found = || Error::ResourceNotFound(request.image_id.to_string());
    let group = call.library.catalog.group_of_image(&request.image_id).await?.ok_or_else(not_found)?;
    if call.library.catalog.add_favorite(call.account().id, &group, call.library.clock.now()).await? {
        Ok(api::AddFavoriteImageResponse {})
    } else {
        Err(not_found())
    }
}
