use std::collections::BTreeMap;

use jingku_library::OfferedType;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Counts the free GPUs. Every zone is this machine.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareGpuInventoryRequest,
) -> Result<api::DescribeCompShareGpuInventoryResponse, Error> {
    let wanted = call.library.zones.resolve(&request.place)?;
    let in_use = call.library.gpus_in_use().await?;
    let free = |offered: &OfferedType| {
        let devices = offered.free_devices(&in_use).len();
        let count = if offered.has_gpus() { i64::try_from(devices).unwrap_or(i64::MAX) } else { 1 };
        (offered.name.clone(), count)
    };
    let free: BTreeMap<String, i64> = call.library.host_offer().types.iter().map(free).collect();
    let zones = call.library.zones.iter();
    let zones =
        zones.filter(|zone| wanted.as_ref().is_none_or(|wanted| wanted.contains(&zone.zone.as_str())));
    let by_zone = zones.map(|zone| (zone.zone_id.to_string(), free.clone())).collect();
    Ok(api::DescribeCompShareGpuInventoryResponse {
        gpu_inventory_by_zone: BTreeMap::from([("Exclusive".to_owned(), by_zone)]),
        spot_unsupported_gpu_types: Vec::new(),
        update_time: call.library.clock.now(),
    })
}
