//! Writes the audit log: the changes that authenticated callers make, and those that they are refused.

use std::net::IpAddr;

use jingku_catalog::{Channel, NewAuditEntry};
use jingku_protocol::actions::Action;
use jingku_protocol::{RetCode, Tree, subject};

use crate::call::Call;
use crate::error::Error;

/// Where a call comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) channel: Channel,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) request_id: &'a str,
}

/// The entry of a call that may change something.
pub(crate) fn entry(call: &Call<'_>, origin: Origin<'_>, action: Action, tree: &Tree) -> NewAuditEntry {
    NewAuditEntry {
        time: call.library.clock.now(),
        account: call.account().id,
        channel: origin.channel,
        public_key: call.credentials.public_key.clone(),
        address: origin.peer.map(|peer| peer.to_string()).unwrap_or_default(),
        action: action.name().to_owned(),
        subject: subject(tree),
        ret_code: 0,
        request_id: origin.request_id.to_owned(),
    }
}

/// Runs a call with its entry. The transaction of the change writes it. A refused call changes nothing, and its entry
/// follows before the answer. A call that succeeds and changes nothing, such as a repeated one, has none.
pub(crate) async fn audited<T>(
    call: &Call<'_>,
    entry: NewAuditEntry,
    run: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let catalog = &call.library.catalog;
    let (outcome, _) = catalog.audited(entry.clone(), run).await;
    if let Err(error) = &outcome
        && is_refusal(error)
        && !call.library.is_read_only()
    {
        let refused = NewAuditEntry { ret_code: error.ret_code().code(), ..entry };
        if let Err(error) = catalog.append_audit_entry(&refused).await {
            let (action, request_id) = (&refused.action, &refused.request_id);
            tracing::warn!(action, request_id, %error, "cannot write a refusal to the audit log");
        }
    }
    outcome
}

/// Whether the server works and does not allow the call. After a failure, writing would probably fail too.
fn is_refusal(error: &Error) -> bool {
    !matches!(error.ret_code(), RetCode::ServiceError | RetCode::ServiceUnavailable | RetCode::Throttled)
}
