use jingku_protocol::actions::{
    DescribeCompShareCustomImageSyncDetailRequest, DescribeCompShareCustomImageSyncDetailResponse,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::view;

/// A copy is immediate: its chunks exist.
const DONE: &str = "100";

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareCustomImageSyncDetailRequest,
) -> Result<DescribeCompShareCustomImageSyncDetailResponse, Error> {
    context.zones.resolve(&request.place)?;
    let source = context.catalog.copy_source(caller.own(), &request.image_id).await?;
    let source = source.ok_or(Error::ResourceNotFound(request.image_id.into()))?;
    Ok(DescribeCompShareCustomImageSyncDetailResponse {
        progress: DONE.to_owned(),
        status: view::status(source.status),
        source_comp_share_image_id: source.image_id,
    })
}
