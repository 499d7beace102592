use jingku_protocol::actions::{CreateCscliEventRequest, CreateCscliEventResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

/// Discards the event.
#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(super) async fn run(
    _context: &Context,
    _caller: &Caller,
    _request: CreateCscliEventRequest,
) -> Result<CreateCscliEventResponse, Error> {
    Ok(CreateCscliEventResponse {})
}
