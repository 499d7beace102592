use jingku_catalog::RemoveFavorite;
use jingku_protocol::actions::{DeleteCompShareImageFavoriteRequest, DeleteCompShareImageFavoriteResponse};

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: DeleteCompShareImageFavoriteRequest,
) -> Result<DeleteCompShareImageFavoriteResponse, Error> {
    match call.library.catalog.remove_favorite(call.account().id, &request.group_id).await? {
        RemoveFavorite::Removed => Ok(DeleteCompShareImageFavoriteResponse {}),
        RemoveFavorite::NotFound => Err(Error::ResourceNotFound(request.group_id.into())),
    }
}
