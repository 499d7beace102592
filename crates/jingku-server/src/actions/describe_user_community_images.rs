use jingku_catalog::{AccountId, Scope};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::groups;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeUserCommunityImagesRequest,
) -> Result<api::DescribeUserCommunityImagesResponse, Error> {
    let page = groups::page(call, Scope::published_by(AccountId(request.account)), &request.query).await?;
    Ok(api::DescribeUserCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
