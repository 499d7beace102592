use jingku_catalog::Favorite;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::{self, cursor, next_token, rows};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeFavoriteImagesRequest,
) -> Result<api::DescribeFavoriteImagesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let cursor = cursor(&request.paging, Favorite::cursor)?;
    let paging = rows(&request.paging, cursor.as_ref());
    let page = call.library.catalog.favorites_page(call.account().id, zones.as_deref(), paging).await?;
    let image = |favorite: Favorite| view::community_image(favorite.image, call.context, false);
    Ok(api::DescribeFavoriteImagesResponse {
        total_count: page.total,
        image_set: page.items.into_iter().map(image).collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}
