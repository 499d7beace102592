use jingku_catalog::{NewOperation, Operation, PodState};
use jingku_library::WITHOUT_GPU_TIERS;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::StartCompShareInstanceRequest,
) -> Result<api::StartCompShareInstanceResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let tier = without_gpu(&request);
    if !tier.is_empty() && !pod.devices.is_empty() {
        return Err(Error::NeedsGpu(pod.id));
    }
    let operation = NewOperation {
        account: call.account().id,
        id: &pod.id,
        operation: Operation::Start,
        allowed: &[PodState::Stopped],
        replaces: &[],
        options: "",
        without_gpu: Some(tier),
    };
    pods::begin(call, operation).await
}

/// The tier of a start without GPUs; empty for a start with them. Other texts are ignored, as on CompShare.
fn without_gpu(request: &api::StartCompShareInstanceRequest) -> &'static str {
    let spec = request.without_gpu_spec.as_deref().unwrap_or_default();
    let named = WITHOUT_GPU_TIERS.into_iter().find(|(name, ..)| *name == spec);
    let flag = request.without_gpu.as_deref().unwrap_or_default();
    match named {
        Some((name, ..)) => name,
        None if matches!(flag, "true" | "True" | "1") => WITHOUT_GPU_TIERS[0].0,
        None => "",
    }
}
