use jingku_catalog::{ImageFilter, Scope};
use jingku_protocol::PlatformType;
use jingku_protocol::actions as api;
use serde_json::value::to_raw_value;

use crate::call::Call;
use crate::error::Error;
use crate::newest::{self, RowPage};
use crate::reply::Reply;
use crate::view::{ImagePage, OFFICIAL, image_page, texts};

/// Lists platform images, which all accounts see alike.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImagesRequest,
) -> Result<Reply, Error> {
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
    let mut all = RowPage { total: 0, rows: Vec::new(), next_token: String::new() };
    if one_list {
        let page = page(call, scope, filter, &request.paging).await?;
        if has_author {
            all = page;
        }
    } else if has_author {
        for image_type in PlatformType::ALL {
            let filter = ImageFilter { platform_type: Some(image_type.as_str()), ..filter };
            let page = page(call, scope, filter, &request.paging).await?;
            all.total += page.total;
            all.rows.extend(page.rows);
        }
    }
    if request.image_id.is_some() && all.total == 0 {
        return Err(Error::not_available("CompShareImageId"));
    }
    Ok(Reply::Object(all.members()))
}

async fn page(
    call: &Call<'_>,
    scope: Scope,
    filter: ImageFilter<'_>,
    paging: &api::Paging,
) -> Result<RowPage, Error> {
    if filter.id.is_none()
        && let Some(page) = newest::matching(call, scope, &filter, paging).await?
    {
        return Ok(page);
    }
    let ImagePage { total, images, next_token } = image_page(call.context, scope, filter, paging).await?;
    let rows = images.iter().map(|image| to_raw_value(image).expect("an image serialises").into());
    Ok(RowPage { total, rows: rows.collect(), next_token })
}
