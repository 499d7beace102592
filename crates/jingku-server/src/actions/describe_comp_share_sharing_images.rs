use jingku_catalog::{ImageFilter, Scope};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::image_page;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareSharingImagesRequest,
) -> Result<api::DescribeCompShareSharingImagesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let filter = ImageFilter {
        id: request.image_id.as_deref(),
        zones: zones.as_deref(),
        with_readme: request.image_id.is_some(),
        ..ImageFilter::default()
    };
    let scope = Scope::shared_with(call.account().id);
    let page = image_page(call.context, scope, filter, &request.paging).await?;
    Ok(api::DescribeCompShareSharingImagesResponse {
        total_count: page.total,
        image_set: page.images,
        next_token: page.next_token,
    })
}
