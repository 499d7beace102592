use jingku_protocol::actions as api;

use crate::call::Call;
use crate::download;
use crate::error::Error;
use crate::reply::Reply;
use crate::transfer::{self, Permit};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ExportCompShareCustomImageRequest,
) -> Result<Reply, Error> {
    let (image, manifest) = download::find(call.context, call.account().id, &request.image_id).await?;
    let exports = &call.context.limits.exports;
    let permit = Permit::take(call.library, exports, call.account().id).await?;
    let disk = transfer::open(&call.library.store, &call.context.manifests, image.id, &manifest).await?;
    let length = disk.length();
    let body = disk.read(0..length, permit).await?;
    Ok(Reply::File { length, etag: download::etag(&manifest)?, body })
}
