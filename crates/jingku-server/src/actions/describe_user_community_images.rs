use jingku_catalog::{AccountId, Scope};
use jingku_protocol::actions::{self as api, Action};

use crate::call::Call;
use crate::error::Error;
use crate::groups::{self, GroupPage};
use crate::reply::Reply;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeUserCommunityImagesRequest,
) -> Result<Reply, Error> {
    let scope = Scope::published_by(AccountId(request.account));
    let response = |page: GroupPage| api::DescribeUserCommunityImagesResponse {
        total_count: page.total,
        available_total_count: page.available,
        image_set_group: page.groups.clone(),
        groups: page.groups,
        next_token: page.next_token,
    };
    groups::reply(call, Action::DescribeUserCommunityImages, scope, request.query, response).await
}
