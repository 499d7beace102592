use jingku_catalog::{BeginOperation, NewLogin, NewOperation, Operation, PodState};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ReinstallCompShareInstanceRequest,
) -> Result<api::ReinstallCompShareInstanceResponse, Error> {
    let (instance, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let image = pods::image(call, &request.comp_share_image_id).await?;
    let is_for_gpu = image.supported_gpu_types.is_empty()
        || image.supported_gpu_types.contains(&instance.gpu_type)
        || pod.devices.is_empty();
    if !is_for_gpu {
        return Err(Error::ImageNotForGpu);
    }
    pods::check_disk(&image, pod.disk_gb)?;
    let (password, ssh_keys) =
        pods::login(request.login_mode, request.password.as_ref(), &request.ssh_public_keys)?;
    let password = password.map(|password| call.library.seal_password(&pod.id, &password));
    let operation = NewOperation {
        account: call.account().id,
        id: &pod.id,
        operation: Operation::Reinstall,
        allowed: &[PodState::Stopped],
        replaces: &[],
        options: "",
        without_gpu: None,
    };
    let login = NewLogin { password: password.as_deref(), ssh_keys: ssh_keys.as_deref() };
    let now = call.library.clock.now();
    let begun = call.library.catalog.begin_reinstall(operation, &image.id, login, now).await?;
    match begun {
        // It was deleted meanwhile.
        BeginOperation::NotFound => Err(Error::not_available("CompShareImageId")),
        begun => pods::answer(call, &pod.id, Operation::Reinstall, begun),
    }
}
