use jingku_catalog::{RestoreImage, Scope};
use jingku_library::failpoint;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::RestoreCompShareCustomImageRequest,
) -> Result<api::RestoreCompShareCustomImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let ids: Vec<&str> = request.image_ids.iter().map(|id| &**id).collect();
    let (trash, name, now) =
        (Scope::trash(call.account().id), request.name.as_deref(), call.library.clock.now());
    failpoint::reached("trash.before_restore");
    let outcomes = call.library.catalog.restore_images(trash, &ids, name, now).await?;
    failpoint::reached("trash.after_restore");
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        match outcome {
            RestoreImage::Restored(_) => {}
            // Idempotent: a client that lost the answer repeats the call.
            RestoreImage::Live(live) if name.is_none_or(|name| name == live) => {}
            RestoreImage::NotFound | RestoreImage::Live(_) => {
                return Err(Error::ResourceNotFound(id.to_owned()));
            }
            RestoreImage::NeverMade => return Err(Error::ImageNotAvailable(id.to_owned())),
            RestoreImage::NameTaken(name) => return call.name_taken("Name", &name).await,
            RestoreImage::OverLimit(over) => return Err(Error::OverLimit(over)),
        }
    }
    Ok(api::RestoreCompShareCustomImageResponse {})
}
