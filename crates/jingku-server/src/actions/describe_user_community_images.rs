use jingku_catalog::{AccountId, Scope};
use jingku_protocol::actions::{DescribeUserCommunityImagesRequest, DescribeUserCommunityImagesResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::groups;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeUserCommunityImagesRequest,
) -> Result<DescribeUserCommunityImagesResponse, Error> {
    let page = groups::page(context, caller, Scope::published_by(AccountId(request.account)), &request.query)
        .await?;
    Ok(DescribeUserCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
