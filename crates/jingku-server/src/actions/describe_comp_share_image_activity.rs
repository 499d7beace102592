use jingku_catalog::{AuditEntry, AuditFilter, Channel};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::{cursor, next_token, rows};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImageActivityRequest,
) -> Result<api::DescribeCompShareImageActivityResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let filter = AuditFilter {
        // Never another account's.
        account: Some(call.account().id),
        action: request.activity.as_deref(),
        subject: request.image_id.as_deref(),
        ..AuditFilter::default()
    };
    let cursor = cursor(&request.paging, AuditFilter::cursor)?;
    let page = call.library.catalog.audit_page(filter, rows(&request.paging, cursor.as_ref())).await?;
    Ok(api::DescribeCompShareImageActivityResponse {
        total_count: page.total,
        activity_set: page.items.into_iter().map(activity).collect(),
        next_token: next_token(page.next),
    })
}

fn activity(entry: AuditEntry) -> api::Activity {
    // An account does not learn the address of the operator.
    let is_operator = entry.channel == Channel::Console.as_str() && entry.public_key.is_empty();
    let address = if is_operator { String::new() } else { entry.address };
    api::Activity {
        time: entry.time,
        activity: entry.action,
        resource_id: entry.subject,
        result: entry.ret_code,
        channel: entry.channel,
        public_key: entry.public_key,
        address,
        request_id: entry.request_id,
    }
}
