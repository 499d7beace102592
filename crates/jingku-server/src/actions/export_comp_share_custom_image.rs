use jingku_protocol::actions::ExportCompShareCustomImageRequest;

use crate::caller::Caller;
use crate::context::Context;
use crate::download;
use crate::error::Error;
use crate::reply::Reply;
use crate::transfer;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: ExportCompShareCustomImageRequest,
) -> Result<Reply, Error> {
    let (image, manifest) = download::find(context, caller.account().id, &request.image_id).await?;
    let slot = context.limits.exports.take(caller.account().id)?;
    let disk = transfer::open(&context.store, &context.manifests, image.id, &manifest).await?;
    let length = disk.length();
    let body = disk.read(0..length, slot).await?;
    Ok(Reply::File { length, etag: download::etag(&manifest)?, body })
}
