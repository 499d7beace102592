use jingku_protocol::Owner;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImageShareAccountsRequest,
) -> Result<api::DescribeCompShareImageShareAccountsResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let shares = call.library.catalog.image_shares(call.own(), &request.image_id).await?;
    let shares = shares.ok_or(Error::ResourceNotFound(request.image_id.into()))?;
    let owner = |share: jingku_catalog::Share| Owner {
        account_name: share.account_name,
        account_id: share.account.0.to_string(),
    };
    Ok(api::DescribeCompShareImageShareAccountsResponse {
        account_set: shares.into_iter().map(owner).collect(),
    })
}
