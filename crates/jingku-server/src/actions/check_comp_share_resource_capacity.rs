use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Lists all sizes of a type, the largest with one GPU first: the official CLI takes the first if its user asked for no
/// size.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CheckCompShareResourceCapacityRequest,
) -> Result<api::CheckCompShareResourceCapacityResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let offer = call.library.host_offer();
    let offered = offer.find(&request.gpu_type).ok_or_else(|| Error::not_available("GpuType"))?;
    let in_use = if offered.has_gpus() { call.library.gpus_in_use().await? } else { Vec::new() };
    let free = i64::try_from(offered.free_devices(&in_use).len()).unwrap_or(i64::MAX);
    let (cpus, memory) = (offer.cpu_sizes(), offer.memory_sizes_gb());
    let mut specs = Vec::new();
    for gpu in offered.gpu_sizes() {
        for cpu in cpus.iter().rev() {
            let resource_enough = !offered.has_gpus() || gpu <= free;
            let spec = |mem: &i64| api::InstanceSpec { gpu, cpu: *cpu, mem: *mem, resource_enough };
            specs.extend(memory.iter().rev().map(spec));
        }
    }
    Ok(api::CheckCompShareResourceCapacityResponse { specs })
}
