use jingku_protocol::Owner;
use jingku_protocol::actions::{
    DescribeCompShareImageShareAccountsRequest, DescribeCompShareImageShareAccountsResponse,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareImageShareAccountsRequest,
) -> Result<DescribeCompShareImageShareAccountsResponse, Error> {
    context.zones.resolve(&request.place)?;
    let shares = context.catalog.image_shares(caller.own(), &request.image_id).await?;
    let shares = shares.ok_or(Error::ResourceNotFound(request.image_id.into()))?;
    let owner = |share: jingku_catalog::Share| Owner {
        account_name: share.account_name,
        account_id: share.account.0.to_string(),
    };
    Ok(DescribeCompShareImageShareAccountsResponse { account_set: shares.into_iter().map(owner).collect() })
}
