use jingku_catalog::DeleteImage;
use jingku_library::failpoint;
use jingku_protocol::actions::{TerminateCompShareCustomImageRequest, TerminateCompShareCustomImageResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: TerminateCompShareCustomImageRequest,
) -> Result<TerminateCompShareCustomImageResponse, Error> {
    context.zones.resolve(&request.place)?;
    failpoint::reached("delete.before_row");
    let deleted = context.catalog.delete_image(caller.own(), &request.image_id, context.clock.now()).await?;
    failpoint::reached("delete.after_row");
    match deleted {
        // Idempotent: a client that lost the answer repeats the call.
        DeleteImage::Deleted | DeleteImage::AlreadyDeleted => {
            context.running.cancel(&request.image_id);
            context.uploads.remove(&request.image_id);
            Ok(TerminateCompShareCustomImageResponse {})
        }
        DeleteImage::Published => Err(Error::not_available("CompShareImageId")),
        DeleteImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
    }
}
