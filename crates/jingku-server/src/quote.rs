//! What an instance would cost.

use jingku_library::{InstanceSize, OfferedType};
use jingku_protocol::actions::{
    ChargeType, CpuCount, GpuCount, Integer, MemoryMb, Place, PriceDetail, PriceDetails,
};

use crate::call::Call;
use crate::error::Error;

/// What the actions that ask for a price have in common.
pub(crate) struct Order<'a> {
    pub(crate) place: &'a Place,
    pub(crate) gpu_type: &'a str,
    pub(crate) gpu: Option<GpuCount>,
    pub(crate) cpu: Option<CpuCount>,
    pub(crate) memory: Option<MemoryMb>,
    pub(crate) charge_type: Option<ChargeType>,
    pub(crate) quantity: Option<Integer<0, 1000>>,
}

/// The price of what is ordered: for the chosen way of charging, or for each.
pub(crate) fn prices(call: &Call<'_>, order: &Order<'_>) -> Result<PriceDetails, Error> {
    call.library.zones.resolve(order.place)?;
    // The typed Python SDK drops sizes in one spelling: what is absent fits.
    let size = InstanceSize {
        gpus: order.gpu.map_or(1, |gpu| gpu.0),
        cpus: order.cpu.map_or(1, |cpu| cpu.0),
        memory_mb: order.memory.map_or(1024, |memory| memory.0),
    };
    let offer = call.library.host_offer();
    let offered = offer.check(order.gpu_type, size)?;
    let quantity = order.quantity.map_or(1, |quantity| quantity.0);
    let row = |charge_type: ChargeType| {
        let periods = i64::from(charge_type.hours()) * quantity;
        let price = per_hour(offered, size.gpus, periods);
        PriceDetail {
            charge_type: charge_type.as_str().to_owned(),
            instance: price,
            original_price: price,
            ..PriceDetail::default()
        }
    };
    let charge_types = order.charge_type.map_or(ChargeType::ALL.to_vec(), |chosen| vec![chosen]);
    Ok(charge_types.into_iter().map(row).collect::<Vec<_>>().into())
}

/// The price of GPUs for some hours, in whole hundredths.
#[expect(clippy::cast_precision_loss, reason = "GPUs and hours are far below 2^53")]
pub(crate) fn per_hour(offered: &OfferedType, gpus: i64, hours: i64) -> f64 {
    (offered.price * gpus as f64 * hours as f64 * 100.0).round() / 100.0
}
