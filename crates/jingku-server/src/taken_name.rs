//! The refusal of a name that another image has.

use jingku_protocol::NameRefusal;

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

/// What a parameter gets that is the name of another image of the account.
pub(crate) async fn name_taken(context: &Context, caller: &Caller, param: &'static str, name: &str) -> Error {
    let holder = match context.catalog.name_holder(caller.own(), name).await {
        Ok(holder) => holder,
        Err(error) => return error.into(),
    };
    let refusal = holder.map(|holder| {
        let held = if holder.is_upload { NameRefusal::HeldByUpload } else { NameRefusal::Taken };
        held(holder.image_id)
    });
    Error::NameTaken { param, refusal }
}
