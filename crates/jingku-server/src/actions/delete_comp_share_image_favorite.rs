use jingku_protocol::actions::{DeleteCompShareImageFavoriteRequest, DeleteCompShareImageFavoriteResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DeleteCompShareImageFavoriteRequest,
) -> Result<DeleteCompShareImageFavoriteResponse, Error> {
    if context.catalog.remove_favorite(caller.account().id, &request.group_id).await? {
        Ok(DeleteCompShareImageFavoriteResponse {})
    } else {
        Err(Error::ResourceNotFound(request.group_id.into()))
    }
}
