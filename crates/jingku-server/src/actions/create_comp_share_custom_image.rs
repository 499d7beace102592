mod estimate;

use jingku_catalog::{CreateImage, NewImage};
use jingku_library::{
    DISK_BYTES_MAX, DeclaredDisk, Internal, SaveOptions, disk_reason, failpoint, image_id, needed_bytes,
    unique_id,
};
use jingku_protocol::actions as api;
use jingku_sources::DiskError;

use crate::call::Call;
use crate::error::Error;
use crate::view::to_json;

/// Starts the job, or estimates it, after every check that can refuse the call.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CreateCompShareCustomImageRequest,
) -> Result<api::CreateCompShareCustomImageResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let not_found = || Error::ResourceNotFound(request.instance_id.to_string());
    let instance = call.library.catalog.instance(Some(call.account().id), &request.instance_id).await?;
    let instance = instance.ok_or_else(not_found)?;
    if zones.is_some_and(|zones| !zones.contains(&instance.zone.as_str())) {
        return Err(Error::not_available("Zone"));
    }
    if instance.pod.as_ref().is_some_and(|pod| pod.operation.is_some()) {
        return Err(Error::InstanceBusy(instance.id));
    }
    if instance.size_bytes > DISK_BYTES_MAX {
        return Err(Error::DiskTooLarge(instance.id));
    }
    let is_estimate = request.estimate.unwrap_or(false);
    let mut warnings = Vec::new();
    if instance.image_in_making.is_none() {
        let first_bytes = if instance.container.is_some() {
            check_engine(call, &instance.id)?;
            u64::try_from(instance.size_bytes).unwrap_or(0)
        } else {
            let declared = check_disk(&instance.id, instance.disk.clone()).await?;
            warnings.extend(declared.caution.map(|caution| caution.to_string()));
            needed_bytes(&declared.disk)
        };
        if !is_estimate {
            check_disk_space(call, &instance.id, first_bytes).await?;
        }
    }
    let options = SaveOptions {
        pause: request.pause.unwrap_or(call.library.config.containers.pause),
        without_secrets: request.exclude_secrets.unwrap_or(false),
    };
    if is_estimate {
        return estimate::run(call, instance, &request.name, options, warnings).await;
    }
    let options = if instance.container.is_some() { to_json(&options) } else { String::new() };

    let id = image_id(&*call.library.random);
    let firewall_ports: Vec<i64> = request.firewall_ports.iter().copied().map(i64::from).collect();
    let softwares = request.softwares.as_ref().map(to_json);
    let image = NewImage {
        id: &id,
        name: &request.name,
        description: request.description.as_deref().unwrap_or_default(),
        instance_id: &request.instance_id,
        softwares: softwares.as_deref(),
        software_ports: &to_json(&request.software_ports),
        firewall_ports: &firewall_ports,
        options: &options,
    };
    let job = &unique_id(&*call.library.random);
    failpoint::reached("create.before_row");
    let created = call.library.catalog.create_image(call.own(), image, job, call.library.clock.now()).await?;
    failpoint::reached("create.after_row");
    match created {
        CreateImage::Created => {
            call.library.running.wake.notify_one();
            Ok(api::CreateCompShareCustomImageResponse { comp_share_image_id: id, warnings, estimate: None })
        }
        CreateImage::NameTaken => call.name_taken("Name", &request.name).await,
        CreateImage::InstanceBusy => Err(Error::InstanceMakingImage(request.instance_id.into())),
        CreateImage::OperationRuns => Err(Error::InstanceBusy(request.instance_id.into())),
        CreateImage::InstanceNotFound => Err(not_found()),
        CreateImage::OverLimit(over) => Err(Error::OverLimit(over)),
    }
}

/// Checks that there is an engine to ask about a container. The job sees whether it answers.
fn check_engine(call: &Call<'_>, instance_id: &str) -> Result<(), Error> {
    if call.library.containers.has_engine() {
        return Ok(());
    }
    let reason = "The server has no container engine. Ask the operator to connect one with `--engine`.";
    Err(Error::DiskNotReadable(instance_id.to_owned(), reason.to_owned()))
}

/// Checks that the disk exists as declared and that nothing writes to it.
async fn check_disk(instance_id: &str, disk: String) -> Result<DeclaredDisk, Error> {
    let declared: DeclaredDisk = serde_json::from_str(&disk)
        .map_err(|error| Internal::BadRow(format!("disk of instance {instance_id}: {error}")))?;
    let checked = tokio::task::spawn_blocking(move || declared.disk.check().map(|()| declared)).await?;
    checked.map_err(|error| {
        if let DiskError::InUse { .. } = error {
            return Error::InstanceRunning(instance_id.to_owned());
        }
        tracing::warn!(instance_id, error = &error as &dyn std::error::Error, "disk refused");
        Error::DiskNotReadable(instance_id.to_owned(), disk_reason(&error).to_owned())
    })
}

/// Refuses an image that may not fit into the store. After the first image of an instance only changed chunks are stored,
/// an unknown amount: then any free space suffices.
async fn check_disk_space(call: &Call<'_>, instance_id: &str, first_bytes: u64) -> Result<(), Error> {
    let Some(free_bytes) = call.free_image_bytes().await? else { return Ok(()) };
    let needed_bytes =
        if call.library.catalog.has_finished_job(instance_id).await? { 1 } else { first_bytes };
    if needed_bytes <= free_bytes {
        return Ok(());
    }
    tracing::warn!(instance_id, needed_bytes, free_bytes, "no space for an image");
    Err(Error::StoreFull { instance: instance_id.to_owned(), needed_bytes })
}
