use jingku_catalog::{NewOperation, Operation, PodState};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::RebootCompShareInstanceRequest,
) -> Result<api::RebootCompShareInstanceResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let operation = NewOperation {
        account: call.account().id,
        id: &pod.id,
        operation: Operation::Reboot,
        allowed: &[PodState::Running],
        replaces: &[],
        options: "",
        without_gpu: None,
    };
    pods::begin(call, operation).await
}
