use std::sync::Arc;

use jingku_protocol::actions::ExportCompShareCustomImageRequest;

use crate::context::Context;
use crate::download;
use crate::error::Error;
use crate::gateway::Caller;
use crate::reply::Reply;
use crate::transfer;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: ExportCompShareCustomImageRequest,
) -> Result<Reply, Error> {
    let (image, manifest) = download::find(context, caller.account().id, &request.image_id).await?;
    let permit = Arc::clone(&context.limits.exports).try_acquire_owned().map_err(|_| Error::Throttled)?;
    let disk = transfer::open(context.store.clone(), image.id, &manifest).await?;
    let length = disk.length();
    Ok(Reply::File { length, etag: download::etag(&manifest)?, body: disk.read(0..length, permit) })
}
