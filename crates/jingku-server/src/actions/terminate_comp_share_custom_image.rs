use jingku_catalog::DeleteImage;
use jingku_library::failpoint;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::TerminateCompShareCustomImageRequest,
) -> Result<api::TerminateCompShareCustomImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    failpoint::reached("delete.before_row");
    let deleted =
        call.library.catalog.delete_image(call.own(), &request.image_id, call.library.clock.now()).await?;
    failpoint::reached("delete.after_row");
    match deleted {
        // Idempotent: a client that lost the answer repeats the call.
        DeleteImage::Deleted | DeleteImage::AlreadyDeleted => {
            call.library.running.cancel(&request.image_id);
            call.library.uploads.remove(&request.image_id);
            Ok(api::TerminateCompShareCustomImageResponse {})
        }
        DeleteImage::Published => Err(Error::not_available("CompShareImageId")),
        DeleteImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
    }
}
