use jingku_protocol::actions::{CreateCompShareImageFavoriteRequest, CreateCompShareImageFavoriteResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: CreateCompShareImageFavoriteRequest,
) -> Result<CreateCompShareImageFavoriteResponse, Error> {
    let (account, now) = (caller.account().id, context.clock.now());
    if context.catalog.add_favorite(account, &request.group_id, now).await? {
        Ok(CreateCompShareImageFavoriteResponse {})
    } else {
        Err(Error::ResourceNotFound(request.group_id.into()))
    }
}
