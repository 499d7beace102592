use jingku_protocol::actions::{DescribeSelfCommunityImagesRequest, DescribeSelfCommunityImagesResponse};

use crate::call::Call;
use crate::error::Error;
use crate::groups;

pub(crate) async fn run(
    call: &Call<'_>,
    request: DescribeSelfCommunityImagesRequest,
) -> Result<DescribeSelfCommunityImagesResponse, Error> {
    let page = groups::page(call, call.own(), &request.query).await?;
    Ok(DescribeSelfCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
