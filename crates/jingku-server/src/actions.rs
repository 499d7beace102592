//! One file an action: parse, one call below, answer. [`run`] is the table.

mod add_favorite_image;
mod copy_comp_share_custom_image;
mod create_comp_share_custom_image;
mod create_comp_share_image_favorite;
mod create_cscli_event;
mod delete_comp_share_image_favorite;
mod describe_community_images;
mod describe_comp_share_custom_image_sync_detail;
mod describe_comp_share_custom_images;
mod describe_comp_share_image_share_accounts;
mod describe_comp_share_image_tags;
mod describe_comp_share_images;
mod describe_comp_share_instance;
mod describe_comp_share_sharing_images;
mod describe_comp_share_software_port;
mod describe_comp_share_support_zone;
mod describe_favorite_images;
mod describe_self_community_images;
mod describe_user_community_images;
mod export_comp_share_custom_image;
mod get_comp_share_custom_image_url;
mod get_comp_share_image_create_progress;
mod get_project_list;
mod get_region;
mod import_comp_share_custom_image;
mod modify_comp_share_image_share_account;
mod publish_comp_share_image;
mod remove_favorite_image;
mod sync_comp_share_custom_image;
mod terminate_comp_share_custom_image;
mod update_comp_share_image;

use jingku_protocol::actions::{Action, Request};
use jingku_protocol::{ParamError, Tree};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::reply::Reply;

/// Whether a call would do its work twice, or be refused because it was done, when its request comes twice.
///
/// The catalogue keeps what such a request came to, in the transaction of the change and under the name in
/// [`Caller::request`]; the same request within [`ANSWER_SECS`](crate::limits::ANSWER_SECS) is answered as the first. Of the
/// other actions, those that change something lead to the same state when they come twice, but for
/// `CreateCompShareCustomImage`, whose second call finds the name taken.
pub(crate) const fn is_remembered(action: Action) -> bool {
    matches!(
        action,
        Action::CopyCompShareCustomImage | Action::PublishCompShareImage | Action::SyncCompShareCustomImage
    )
}

/// Carries out a call that has passed the gateway.
pub(crate) async fn run(
    context: &Context,
    caller: &Caller,
    action: Action,
    tree: Tree,
) -> Result<Reply, Error> {
    macro_rules! call {
        ($file:ident) => {{
            let response = $file::run(context, caller, read(tree)?).await?;
            Ok(Reply::object(&response))
        }};
    }
    match action {
        Action::AddFavoriteImage => call!(add_favorite_image),
        Action::CopyCompShareCustomImage => call!(copy_comp_share_custom_image),
        Action::CreateCompShareCustomImage => call!(create_comp_share_custom_image),
        Action::CreateCompShareImageFavorite => call!(create_comp_share_image_favorite),
        Action::CreateCscliEvent => call!(create_cscli_event),
        Action::DeleteCompShareImageFavorite => call!(delete_comp_share_image_favorite),
        Action::DescribeCommunityImages => call!(describe_community_images),
        Action::DescribeCompShareCustomImageSyncDetail => call!(describe_comp_share_custom_image_sync_detail),
        Action::DescribeCompShareCustomImages => {
            describe_comp_share_custom_images::run(context, caller, read(tree)?).await
        }
        Action::DescribeCompShareImageShareAccounts => call!(describe_comp_share_image_share_accounts),
        Action::DescribeCompShareImageTags => call!(describe_comp_share_image_tags),
        Action::DescribeCompShareImages => call!(describe_comp_share_images),
        Action::DescribeCompShareInstance => call!(describe_comp_share_instance),
        Action::DescribeCompShareSharingImages => call!(describe_comp_share_sharing_images),
        Action::DescribeCompShareSoftwarePort => call!(describe_comp_share_software_port),
        Action::DescribeCompShareSupportZone => call!(describe_comp_share_support_zone),
        Action::DescribeFavoriteImages => call!(describe_favorite_images),
        Action::DescribeSelfCommunityImages => call!(describe_self_community_images),
        Action::DescribeUserCommunityImages => call!(describe_user_community_images),
        Action::ExportCompShareCustomImage => {
            export_comp_share_custom_image::run(context, caller, read(tree)?).await
        }
        Action::GetCompShareCustomImageUrl => call!(get_comp_share_custom_image_url),
        Action::GetCompShareImageCreateProgress => call!(get_comp_share_image_create_progress),
        Action::GetProjectList => call!(get_project_list),
        Action::GetRegion => call!(get_region),
        Action::ImportCompShareCustomImage => call!(import_comp_share_custom_image),
        Action::ModifyCompShareImageShareAccount => call!(modify_comp_share_image_share_account),
        Action::PublishCompShareImage => call!(publish_comp_share_image),
        Action::RemoveFavoriteImage => call!(remove_favorite_image),
        Action::SyncCompShareCustomImage => call!(sync_comp_share_custom_image),
        Action::TerminateCompShareCustomImage => call!(terminate_comp_share_custom_image),
        Action::UpdateCompShareImage => call!(update_comp_share_image),
    }
}

/// The typed request. What it does not hold is freed: a cover is checked for a while.
fn read<R: Request>(tree: Tree) -> Result<R, ParamError> {
    let request = R::read(&tree);
    drop(tree);
    request
}
