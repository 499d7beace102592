use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::groups;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeSelfCommunityImagesRequest,
) -> Result<api::DescribeSelfCommunityImagesResponse, Error> {
    let page = groups::page(call, call.own(), &request.query).await?;
    Ok(api::DescribeSelfCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
