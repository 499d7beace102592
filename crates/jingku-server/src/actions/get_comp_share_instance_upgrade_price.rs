use jingku_library::ContainerFacts;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::instance;
use crate::quote::per_hour;

/// Only more GPUs cost more.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareInstanceUpgradePriceRequest,
) -> Result<api::GetCompShareInstanceUpgradePriceResponse, Error> {
    let instance = instance::find(call, &request.place, &request.instance_id).await?;
    let gpus_now = ContainerFacts::of(&instance)?.map_or(1, |facts| facts.gpus);
    let offer = call.library.host_offer();
    let more = request.gpu.map_or(0, |gpu| (gpu.0 - gpus_now).max(0));
    let price = offer.find(&instance.gpu_type).map_or(0.0, |offered| per_hour(offered, more, 1));
    Ok(api::GetCompShareInstanceUpgradePriceResponse { price, original_price: price, list_price: price })
}
