use std::sync::Arc;

use jingku_catalog::ImageStatus;
use jingku_protocol::actions::ExportCompShareCustomImageRequest;

use crate::context::Context;
use crate::error::{Error, Internal};
use crate::gateway::Caller;
use crate::reply::Reply;
use crate::transfer::{self, DiskStream};

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: ExportCompShareCustomImageRequest,
) -> Result<Reply, Error> {
    let image = context.catalog.image(caller.own(), &request.image_id).await?;
    let image = image.ok_or_else(|| Error::ResourceNotFound(request.image_id.clone()))?;
    if image.status != ImageStatus::Available {
        return Err(Error::ImageNotAvailable(request.image_id));
    }
    let manifest =
        image.manifest.ok_or_else(|| Internal::BadRow(format!("image {}: no manifest", image.id)))?;
    let permit = Arc::clone(&context.limits.exports).try_acquire_owned().map_err(|_| Error::Throttled)?;
    let DiskStream { length, body } =
        transfer::open(context.store.clone(), image.id, manifest, permit).await?;
    Ok(Reply::File { length, body })
}
