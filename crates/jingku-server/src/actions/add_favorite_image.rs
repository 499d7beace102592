use jingku_protocol::actions::{AddFavoriteImageRequest, AddFavoriteImageResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: AddFavoriteImageRequest,
) -> Result<AddFavoriteImageResponse, Error> {
    let not_found = || Error::ResourceNotFound(request.image_id.to_string());
    let group = context.catalog.group_of_image(&request.image_id).await?.ok_or_else(not_found)?;
    if context.catalog.add_favorite(caller.account().id, &group, context.clock.now()).await? {
        Ok(AddFavoriteImageResponse {})
    } else {
        Err(not_found())
    }
}
