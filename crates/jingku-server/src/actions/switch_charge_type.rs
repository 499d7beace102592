use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::SwitchChargeTypeRequest,
) -> Result<api::SwitchChargeTypeResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    call.library.catalog.set_pod_charge_type(&pod.id, request.dest_charge_type.as_str()).await?;
    Ok(api::InstanceDone { instance_id: pod.id })
}
