use jingku_catalog::Operation;
use jingku_library::failpoint;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

/// The instance is gone when this answers. Its container is removed afterwards.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::TerminateCompShareInstanceRequest,
) -> Result<api::TerminateCompShareInstanceResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let now = call.library.clock.now();
    let begun = call.library.catalog.terminate_pod(call.account().id, &pod.id, now).await?;
    failpoint::reached("pod.terminated");
    let done = pods::answer(call, &pod.id, Operation::Terminate, begun)?;
    Ok(api::TerminateCompShareInstanceResponse { instance_id: done.instance_id, in_recycle: "No".to_owned() })
}
