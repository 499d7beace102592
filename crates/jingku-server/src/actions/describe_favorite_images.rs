use jingku_catalog::Favorite;
use jingku_protocol::actions::{DescribeFavoriteImagesRequest, DescribeFavoriteImagesResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::view::{self, cursor, next_token, rows};

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeFavoriteImagesRequest,
) -> Result<DescribeFavoriteImagesResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    let cursor = cursor(&request.paging, Favorite::cursor)?;
    let paging = rows(&request.paging, cursor.as_ref());
    let page = context.catalog.favorites_page(caller.account().id, zones.as_deref(), paging).await?;
    let image = |favorite: Favorite| view::community_image(favorite.image, context, false);
    Ok(DescribeFavoriteImagesResponse {
        total_count: page.total,
        image_set: page.items.into_iter().map(image).collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}
