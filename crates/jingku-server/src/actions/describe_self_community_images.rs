use jingku_protocol::actions::{DescribeSelfCommunityImagesRequest, DescribeSelfCommunityImagesResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::groups;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeSelfCommunityImagesRequest,
) -> Result<DescribeSelfCommunityImagesResponse, Error> {
    let page = groups::page(context, caller, caller.own(), &request.query).await?;
    Ok(DescribeSelfCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
