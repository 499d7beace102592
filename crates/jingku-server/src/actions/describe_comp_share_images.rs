use jingku_catalog::{ImageFilter, Scope};
use jingku_protocol::PlatformType;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::{ImagePage, OFFICIAL, image_page, texts};

/// Lists platform images, which all accounts see alike.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImagesRequest,
) -> Result<api::DescribeCompShareImagesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let tags = texts(&request.tags);
    let filter = ImageFilter {
        id: request.image_id.as_deref(),
        zones: zones.as_deref(),
        name: request.name.as_deref(),
        tags: &tags,
        platform_type: request.image_type.map(PlatformType::as_str),
        ..ImageFilter::default()
    };
    let one_list = request.image_type.is_some() || request.image_id.is_some();
    // A token cannot state the end of several lists.
    if request.paging.next_token.is_some() && !one_list {
        return Err(Error::not_available("NextToken"));
    }
    // Platform images have one author.
    let has_author = request.author.as_deref().is_none_or(|author| author == OFFICIAL);
    let scope = Scope::platform().requested_by(call.account().id);
    let mut response = api::DescribeCompShareImagesResponse::default();
    if one_list {
        let page = image_page(call.context, scope, filter, &request.paging).await?;
        if has_author {
            let ImagePage { total, images, next_token } = page;
            response =
                api::DescribeCompShareImagesResponse { total_count: total, image_set: images, next_token };
        }
    } else if has_author {
        for image_type in PlatformType::ALL {
            let filter = ImageFilter { platform_type: Some(image_type.as_str()), ..filter };
            let page = image_page(call.context, scope, filter, &request.paging).await?;
            response.total_count += page.total;
            response.image_set.extend(page.images);
        }
    }
    if request.image_id.is_some() && response.total_count == 0 {
        return Err(Error::not_available("CompShareImageId"));
    }
    Ok(response)
}
