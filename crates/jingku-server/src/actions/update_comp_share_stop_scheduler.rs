use jingku_catalog::PodState;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

/// The least time until an instance is stopped, in seconds. Documented.
const AHEAD_SECS_MIN: i64 = 300;

/// Sets the time. `stop_due_pods` of the library stops the instance.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::UpdateCompShareStopSchedulerRequest,
) -> Result<api::UpdateCompShareStopSchedulerResponse, Error> {
    let (instance, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let stop_at = request.stop_time.0;
    if stop_at < call.library.clock.now() + AHEAD_SECS_MIN {
        return Err(Error::not_available("SchedulerStopTime"));
    }
    // As on CompShare. An image that is being made does not matter.
    let is_spot = pod.charge_type == api::ChargeType::Spot.as_str();
    if pod.state != PodState::Running || pod.operation.is_some() || is_spot {
        return Err(Error::WrongState { state: pods::state(&instance, &pod), id: pod.id });
    }
    call.library.catalog.set_pod_stop_at(&pod.id, stop_at).await?;
    Ok(api::InstanceDone { instance_id: pod.id })
}
