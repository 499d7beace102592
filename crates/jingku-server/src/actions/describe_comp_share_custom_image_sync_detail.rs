use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view;

/// A copy is immediate: its chunks exist.
const DONE: &str = "100";

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareCustomImageSyncDetailRequest,
) -> Result<api::DescribeCompShareCustomImageSyncDetailResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let source = call.library.catalog.copy_source(call.own(), &request.image_id).await?;
    let source = source.ok_or(Error::ResourceNotFound(request.image_id.into()))?;
    Ok(api::DescribeCompShareCustomImageSyncDetailResponse {
        progress: DONE.to_owned(),
        status: view::status(source.status),
        source_comp_share_image_id: source.image_id,
    })
}
