use jingku_catalog::Scope;
use jingku_protocol::actions::{self as api, Action};

use crate::call::Call;
use crate::error::Error;
use crate::groups::{self, GroupPage};
use crate::reply::Reply;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCommunityImagesRequest,
) -> Result<Reply, Error> {
    let response = |page: GroupPage| api::DescribeCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set: page.groups.iter().flat_map(|group| group.data.iter().cloned()).collect(),
        groups: page.groups,
        next_token: page.next_token,
    };
    let action = Action::DescribeCommunityImages;
    groups::reply(call, action, Scope::published(), request.query, response).await
}
