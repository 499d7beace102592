use jingku_catalog::Scope;
use jingku_protocol::actions::{DescribeCommunityImagesRequest, DescribeCommunityImagesResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::groups;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCommunityImagesRequest,
) -> Result<DescribeCommunityImagesResponse, Error> {
    let page = groups::page(context, caller, Scope::published(), &request.query).await?;
    Ok(DescribeCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set: page.images(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
