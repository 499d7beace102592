//! What the actions on instances that the API created have in common.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::{BeginOperation, Image, Instance, NewOperation, Operation, Pod, PodState};
use jingku_library::{is_password, is_ssh_key, shown_state};
use jingku_protocol::ParamError;
use jingku_protocol::actions::{InstanceDone, LoginMode, PasswordText, Place, SshPublicKeys};

use crate::call::Call;
use crate::download;
use crate::error::Error;
use crate::instance;

const GB: i64 = 1 << 30;

const OFF: &str = "This server does not create or change instances; its operator allows it with `create = true` in the \
                   section [containers] of the configuration file";
const NO_ENGINE: &str = "This server has no container engine, which instances need; its operator connects one with \
                         `engine` in the section [containers] of the configuration file";

/// Refuses unless the operator allows instances to be created and changed.
pub(crate) fn check_allowed(call: &Call<'_>) -> Result<(), Error> {
    if !call.library.config.containers.create {
        Err(Error::InstancesOff(OFF))
    } else if call.library.containers.has_engine() {
        Ok(())
    } else {
        Err(Error::InstancesOff(NO_ENGINE))
    }
}

/// Finds an instance that the API created, at the place of the request if it names one.
pub(crate) async fn find(call: &Call<'_>, place: &Place, id: &str) -> Result<(Instance, Pod), Error> {
    let mut instance = instance::find(call, place, id).await?;
    check_allowed(call)?;
    match instance.pod.take() {
        Some(pod) => Ok((instance, pod)),
        None => Err(Error::NotAPod(id.to_owned())),
    }
}

/// Begins an operation.
pub(crate) async fn begin(call: &Call<'_>, new: NewOperation<'_>) -> Result<InstanceDone, Error> {
    let begun = call.library.catalog.begin_operation(new, call.library.clock.now()).await?;
    answer(call, new.id, new.operation, begun)
}

/// The answer to an operation that began, or that the same request began before.
pub(crate) fn answer(
    call: &Call<'_>,
    id: &str,
    operation: Operation,
    begun: BeginOperation,
) -> Result<InstanceDone, Error> {
    let id = id.to_owned();
    match begun {
        BeginOperation::Begun => {
            call.library.pods.wake.notify_one();
            Ok(InstanceDone { instance_id: id })
        }
        BeginOperation::Runs => Ok(InstanceDone { instance_id: id }),
        BeginOperation::Busy => Err(Error::InstanceBusy(id)),
        BeginOperation::MakingImage => Err(Error::InstanceMakingImage(id)),
        BeginOperation::DeviceUsed => Err(Error::NoStock(id)),
        BeginOperation::NotFound => Err(Error::ResourceNotFound(id)),
        BeginOperation::NotAllowed(state) => Err(not_allowed(id, operation, state)),
    }
}

fn not_allowed(id: String, operation: Operation, state: PodState) -> Error {
    let state = state.as_str();
    match operation {
        Operation::Reinstall | Operation::Resize | Operation::Terminate => Error::NotStopped { id, state },
        Operation::Create | Operation::Start | Operation::Stop | Operation::Reboot => {
            Error::WrongState { id, state }
        }
    }
}

/// Refuses while an operation runs or an image is being made.
pub(crate) fn check_idle(instance: &Instance, pod: &Pod) -> Result<(), Error> {
    if pod.operation.is_some() {
        return Err(Error::InstanceBusy(instance.id.clone()));
    }
    if instance.image_in_making.is_some() {
        return Err(Error::InstanceMakingImage(instance.id.clone()));
    }
    Ok(())
}

/// The state of an instance that is not the one an action needs.
pub(crate) fn state(instance: &Instance, pod: &Pod) -> &'static str {
    shown_state(instance, pod)
}

/// Decodes a password.
pub(crate) fn password(text: &PasswordText) -> Result<String, Error> {
    let decoded =
        BASE64_STANDARD.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|password| is_password(password)).ok_or(Error::BadPassword)
}

/// The password and the SSH keys that a request names, the latter as lines of an `authorized_keys` file; `None` for what it
/// does not name. An instance with keys only has the empty password.
pub(crate) fn login(
    mode: Option<LoginMode>,
    text: Option<&PasswordText>,
    keys: &SshPublicKeys,
) -> Result<(Option<String>, Option<String>), Error> {
    if !keys.iter().all(|key| is_ssh_key(key)) {
        return Err(Error::not_available("SshPublicKeys"));
    }
    let password = text.map(password).transpose()?;
    let password = match mode.unwrap_or_default() {
        LoginMode::KeyPair if keys.is_empty() => {
            return Err(ParamError::Missing("SshPublicKeys".to_owned()).into());
        }
        LoginMode::KeyPair => password.or_else(|| Some(String::new())),
        LoginMode::Password => password,
    };
    let keys = (!keys.is_empty()).then(|| keys.iter().flat_map(|key| [&**key, "\n"]).collect());
    Ok((password, keys))
}

/// Finds an image that an instance can be created from.
///
/// An image that the account cannot see, and that of a disk, are refused like a wrong parameter, as on CompShare.
pub(crate) async fn image(call: &Call<'_>, id: &str) -> Result<Image, Error> {
    match download::find(call.context, call.account().id, id).await {
        Ok((image, _)) if image.container => Ok(image),
        Ok(_) | Err(Error::ResourceNotFound(_)) => Err(Error::not_available("CompShareImageId")),
        Err(error) => Err(error),
    }
}

/// Refuses a disk that the files of the image do not fit in.
pub(crate) fn check_disk(image: &Image, disk_gb: i64) -> Result<(), Error> {
    let needed_gb = needed_gb(image);
    if disk_gb < needed_gb {
        return Err(Error::DiskTooSmall { image_id: image.id.clone(), disk_gb, needed_gb });
    }
    Ok(())
}

/// GB of the files of an image, rounded up.
pub(crate) fn needed_gb(image: &Image) -> i64 {
    image.size_bytes.saturating_add(GB - 1) / GB
}
