use std::sync::Arc;

use jingku_catalog::{AccountId, Image, ImageStatus, Scope};
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
    let account = caller.account().id;
    let image = context.catalog.image(Scope::visible_to(account), &request.image_id).await?;
    let image = image.ok_or_else(|| Error::ResourceNotFound(request.image_id.clone()))?;
    if !has_bits(&image) || has_to_be_paid(context, account, &image).await? {
        return Err(Error::ImageNotAvailable(request.image_id));
    }
    let manifest =
        image.manifest.ok_or_else(|| Internal::BadRow(format!("image {}: no manifest", image.id)))?;
    let permit = Arc::clone(&context.limits.exports).try_acquire_owned().map_err(|_| Error::Throttled)?;
    let DiskStream { length, body } =
        transfer::open(context.store.clone(), image.id, manifest, permit).await?;
    Ok(Reply::File { length, body })
}

/// Whether the making of an image has come to a good end, whatever became of it since.
fn has_bits(image: &Image) -> bool {
    match image.status {
        ImageStatus::Making | ImageStatus::UnAvailable => false,
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => true,
    }
}

/// Whether an image costs something and the account has it from the community only: nobody could charge for it here,
/// so its bits are not given away.
async fn has_to_be_paid(context: &Context, account: AccountId, image: &Image) -> Result<bool, Error> {
    if image.price_cents == 0 || image.account == account || image.account == AccountId::PLATFORM {
        return Ok(false);
    }
    Ok(context.catalog.image(Scope::shared_with(account), &image.id).await?.is_none())
}
