use jingku_catalog::{ImageFilter, Scope};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::newest;
use crate::reply::Reply;
use crate::view::image_page;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareSharingImagesRequest,
) -> Result<Reply, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    if request.image_id.is_none()
        && let Some(page) = newest::shared(call, zones.as_deref(), &request.paging).await?
    {
        return Ok(Reply::Object(page.members()));
    }
    let filter = ImageFilter {
        id: request.image_id.as_deref(),
        zones: zones.as_deref(),
        with_readme: request.image_id.is_some(),
        ..ImageFilter::default()
    };
    let scope = Scope::shared_with(call.account().id);
    let page = image_page(call.context, scope, filter, &request.paging).await?;
    let response = api::DescribeCompShareSharingImagesResponse {
        total_count: page.total,
        image_set: page.images,
        next_token: page.next_token,
    };
    Ok(response.into())
}
