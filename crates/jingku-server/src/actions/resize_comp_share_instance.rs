use jingku_catalog::{NewOperation, Operation, PodState};
use jingku_library::InstanceSize;
use jingku_protocol::ParamError;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

/// Changes cores and memory. The GPUs of a container are those that it was created with.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ResizeCompShareInstanceRequest,
) -> Result<api::ResizeCompShareInstanceResponse, Error> {
    let (instance, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    if request.disk_id.is_some() || request.disk_space.is_some() {
        return Err(Error::not_available(if request.disk_id.is_some() { "DiskId" } else { "DiskSpace" }));
    }
    if request.cpu.is_none() && request.memory.is_none() && request.gpu.is_none() {
        return Err(ParamError::Missing("Cpu|Memory|Gpu".to_owned()).into());
    }
    let size = InstanceSize {
        gpus: request.gpu.map_or(pod.gpus, |gpu| gpu.0),
        cpus: request.cpu.map_or(pod.cpu, |cpu| cpu.0),
        memory_mb: request.memory.map_or(pod.memory_mb, |memory| memory.0),
    };
    if size.gpus != pod.gpus {
        return Err(Error::not_available("GPU"));
    }
    call.library.host_offer().check(&instance.gpu_type, size)?;
    if pod.operation == Some(Operation::Resize) {
        return Ok(api::InstanceDone { instance_id: pod.id });
    }
    pods::check_idle(&instance, &pod)?;
    if pod.state != PodState::Stopped {
        return Err(Error::NotStopped { state: pods::state(&instance, &pod), id: pod.id });
    }
    if !call.library.catalog.set_pod_size(&pod.id, size.cpus, size.memory_mb).await? {
        return Err(Error::InstanceBusy(pod.id));
    }
    // If another operation begins first, its start applies the size.
    let operation = NewOperation {
        account: call.account().id,
        id: &pod.id,
        operation: Operation::Resize,
        allowed: &[PodState::Stopped],
        replaces: &[],
        options: "",
        without_gpu: None,
    };
    pods::begin(call, operation).await
}
