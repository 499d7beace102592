use jingku_catalog::{Cursor, Image as Row, ImageFilter, Page, Scope};
use jingku_protocol::PlatformType;
use jingku_protocol::actions::{DescribeCompShareImagesRequest, DescribeCompShareImagesResponse, Paging};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::view::{self, OFFICIAL, cursor, next_token, rows, texts};

/// Lists platform images, which all accounts see alike.
pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareImagesRequest,
) -> Result<DescribeCompShareImagesResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
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
    let cursor = cursor(&request.paging, |token| filter.order.cursor(Scope::platform(), token))?;
    // A token cannot state the end of several lists.
    if cursor.is_some() && !one_list {
        return Err(Error::not_available("NextToken"));
    }
    let scope = Scope::platform().requested_by(caller.account().id);
    let mut response = DescribeCompShareImagesResponse::default();
    // Platform images have one author.
    if request.author.as_deref().is_none_or(|author| author == OFFICIAL) {
        if one_list {
            let page = page(context, scope, filter, &request.paging, cursor.as_ref()).await?;
            response.next_token = next_token(page.next.clone());
            add(context, &mut response, page)?;
        } else {
            for image_type in PlatformType::ALL {
                let filter = ImageFilter { platform_type: Some(image_type.as_str()), ..filter };
                add(context, &mut response, page(context, scope, filter, &request.paging, None).await?)?;
            }
        }
    }
    if request.image_id.is_some() && response.total_count == 0 {
        return Err(Error::not_available("CompShareImageId"));
    }
    Ok(response)
}

async fn page(
    context: &Context,
    scope: Scope,
    filter: ImageFilter<'_>,
    paging: &Paging,
    cursor: Option<&Cursor>,
) -> Result<Page<Row>, Error> {
    Ok(context.catalog.images_page(scope, filter, rows(paging, cursor)).await?)
}

fn add(
    context: &Context,
    response: &mut DescribeCompShareImagesResponse,
    page: Page<Row>,
) -> Result<(), Error> {
    response.total_count += page.total;
    for row in page.items {
        response.image_set.push(view::image(row, context, false)?);
    }
    Ok(())
}
