use jingku_catalog::{NewOperation, Operation, PodState};
use jingku_library::PodOptions;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;
use crate::view::to_json;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::StopCompShareInstanceRequest,
) -> Result<api::StopCompShareInstanceResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let options = PodOptions { force: request.force.unwrap_or(false) };
    let operation = NewOperation {
        account: call.account().id,
        id: &pod.id,
        operation: Operation::Stop,
        // Clients also stop instances that failed or that are stuck, to delete them.
        allowed: &[PodState::Running, PodState::InstallFail],
        replaces: &[Operation::Create, Operation::Reinstall],
        options: &to_json(&options),
        without_gpu: None,
    };
    pods::begin(call, operation).await
}
