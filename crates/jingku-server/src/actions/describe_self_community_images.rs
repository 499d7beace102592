use jingku_protocol::actions::{self as api, Action};

use crate::call::Call;
use crate::error::Error;
use crate::groups::{self, GroupPage};
use crate::reply::Reply;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeSelfCommunityImagesRequest,
) -> Result<Reply, Error> {
    let response = |page: GroupPage| api::DescribeSelfCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    };
    groups::reply(call, Action::DescribeSelfCommunityImages, call.own(), request.query, response).await
}
