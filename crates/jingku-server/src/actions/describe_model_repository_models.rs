use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    _call: &Call<'_>,
    _request: api::DescribeModelRepositoryModelsRequest,
) -> Result<api::DescribeModelRepositoryModelsResponse, Error> {
    Ok(api::DescribeModelRepositoryModelsResponse { models: Vec::new() })
}
