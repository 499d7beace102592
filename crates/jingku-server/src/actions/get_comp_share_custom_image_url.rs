use jingku_protocol::actions::{
    DEFAULT_LINK_SECS, GetCompShareCustomImageUrlRequest, GetCompShareCustomImageUrlResponse,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::download;
use crate::error::Error;
use crate::link::DownloadLink;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: GetCompShareCustomImageUrlRequest,
) -> Result<GetCompShareCustomImageUrlResponse, Error> {
    let account = caller.account().id;
    let (image, manifest) = download::find(context, account, &request.image_id).await?;
    let expires_at = context.clock.now() + request.expires_secs.map_or(DEFAULT_LINK_SECS, |secs| secs.0);
    let link = DownloadLink { image_id: image.id, account: account.0, manifest, expires_at };
    Ok(GetCompShareCustomImageUrlResponse {
        url: context.link_url(&link.path_and_query(context.keyring())),
        expire_time: expires_at,
        size_bytes: image.size_bytes,
    })
}
