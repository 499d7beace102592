use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::instance;

/// Nothing was paid, so nothing is paid back.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareRefundPriceRequest,
) -> Result<api::GetCompShareRefundPriceResponse, Error> {
    let mut rows = Vec::new();
    for id in &*request.instance_ids {
        let mut row = api::RefundPrice { instance_id: id.to_string(), ..api::RefundPrice::default() };
        match instance::find(call, &request.place, id).await {
            Ok(_) => {}
            Err(error @ Error::ResourceNotFound(_)) => {
                row.code = error.ret_code().code();
                row.message = error.to_string();
                row.err_message.clone_from(&row.message);
            }
            Err(error) => return Err(error),
        }
        rows.push(row);
    }
    Ok(api::GetCompShareRefundPriceResponse { refund_price_set: rows })
}
