use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ModifyCompShareInstanceNameRequest,
) -> Result<api::ModifyCompShareInstanceNameResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    call.library.catalog.set_pod_name(&pod.id, &request.name).await?;
    Ok(api::InstanceDone { instance_id: pod.id })
}
