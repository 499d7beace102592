use jingku_protocol::Owner;
use jingku_protocol::actions::{
    DescribeCompShareImageShareAccountsRequest, DescribeCompShareImageShareAccountsResponse,
};

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: DescribeCompShareImageShareAccountsRequest,
) -> Result<DescribeCompShareImageShareAccountsResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let shares = call.library.catalog.image_shares(call.own(), &request.image_id).await?;
    let shares = shares.ok_or(Error::ResourceNotFound(request.image_id.into()))?;
    let owner = |share: jingku_catalog::Share| Owner {
        account_name: share.account_name,
        account_id: share.account.0.to_string(),
    };
    Ok(DescribeCompShareImageShareAccountsResponse { account_set: shares.into_iter().map(owner).collect() })
}
