use jingku_catalog::PodState;
use jingku_library::ResetPassword;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::instance::check_here;
use crate::pods;

/// The container is asked at once: the answer says whether it has the password.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ResetCompShareInstancePasswordRequest,
) -> Result<api::ResetCompShareInstancePasswordResponse, Error> {
    let (instance, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let password = pods::password(&request.password)?;
    pods::check_idle(&instance, &pod)?;
    if pod.state != PodState::Running {
        return Err(Error::PasswordNeedsRunning { state: pods::state(&instance, &pod), id: pod.id });
    }
    check_here(call, &instance)?;
    match call.library.reset_password(&pod, &password).await? {
        ResetPassword::Done => Ok(api::ResetCompShareInstancePasswordResponse { instance_id: pod.id }),
        ResetPassword::NotPossible => Err(Error::NoChpasswd(pod.id)),
        ResetPassword::EngineFailed => Err(Error::EngineAway),
    }
}
