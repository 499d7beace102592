use jingku_catalog::{AccountId, Favorite};
use jingku_protocol::actions::{self as api, Action, CommunityQuery};

use crate::call::Call;
use crate::error::Error;
use crate::groups;
use crate::reply::Reply;
use crate::view::{self, cursor, next_token, rows};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeFavoriteImagesRequest,
) -> Result<Reply, Error> {
    let query = CommunityQuery { place: request.place, paging: request.paging, ..CommunityQuery::default() };
    let key = (Action::DescribeFavoriteImages, AccountId::PLATFORM, query);
    groups::remembered(call, &key, page(call, &key.2)).await
}

/// Returns the page, and whether it is empty.
async fn page(call: &Call<'_>, query: &CommunityQuery) -> Result<(Reply, bool), Error> {
    let zones = call.library.zones.resolve(&query.place)?;
    let cursor = cursor(&query.paging, Favorite::cursor)?;
    let paging = rows(&query.paging, cursor.as_ref());
    let page = call.library.catalog.favorites_page(call.account().id, zones.as_deref(), paging).await?;
    let image = |favorite: Favorite| view::community_image(favorite.image, call.context, false);
    let response = api::DescribeFavoriteImagesResponse {
        total_count: page.total,
        image_set: page.items.into_iter().map(image).collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    };
    let is_empty = response.image_set.is_empty();
    Ok((response.into(), is_empty))
}
