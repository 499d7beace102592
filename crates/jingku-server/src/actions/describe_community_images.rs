use jingku_catalog::Scope;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::groups;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCommunityImagesRequest,
) -> Result<api::DescribeCommunityImagesResponse, Error> {
    let page = groups::page(call, Scope::published(), &request.query).await?;
    Ok(api::DescribeCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set: page.groups.iter().flat_map(|group| group.data.iter().cloned()).collect(),
        groups: page.groups,
        next_token: page.next_token,
    })
}
