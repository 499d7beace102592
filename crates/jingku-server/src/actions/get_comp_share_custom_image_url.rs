use jingku_protocol::actions as api;

use crate::call::Call;
use crate::download;
use crate::error::Error;
use crate::link::DownloadLink;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareCustomImageUrlRequest,
) -> Result<api::GetCompShareCustomImageUrlResponse, Error> {
    let account = call.account().id;
    let (image, manifest) = download::find(call.context, account, &request.image_id).await?;
    let expires_at =
        call.library.clock.now() + request.expires_secs.map_or(api::DEFAULT_LINK_SECS, |secs| secs.0);
    let link = DownloadLink { image_id: image.id, account: account.0, manifest, expires_at };
    Ok(api::GetCompShareCustomImageUrlResponse {
        url: call.context.link_url(&link.path_and_query(call.library.keyring())),
        expire_time: expires_at,
        size_bytes: image.size_bytes,
    })
}
