use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::quote::{Order, prices};

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareInstancePriceRequest,
) -> Result<api::PriceDetails, Error> {
    let order = Order {
        place: &request.place,
        gpu_type: &request.gpu_type,
        gpu: request.gpu,
        cpu: request.cpu,
        memory: request.memory,
        charge_type: request.charge_type,
        quantity: request.quantity,
    };
    prices(call, &order)
}
