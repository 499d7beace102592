use jingku_protocol::actions::{RemoveFavoriteImageRequest, RemoveFavoriteImageResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: RemoveFavoriteImageRequest,
) -> Result<RemoveFavoriteImageResponse, Error> {
    let not_found = || Error::ResourceNotFound(request.image_id.to_string());
    let group = context.catalog.group_of_image(&request.image_id).await?.ok_or_else(not_found)?;
    if context.catalog.remove_favorite(caller.account().id, &group).await? {
        Ok(RemoveFavoriteImageResponse {})
    } else {
        Err(not_found())
    }
}
