use jingku_catalog::{CreateImage, NewImage};
use jingku_library::{
    DISK_BYTES_MAX, DeclaredDisk, Internal, MARGIN_BYTES, disk_reason, failpoint, image_id, needed_bytes,
    unique_id,
};
use jingku_protocol::actions::{CreateCompShareCustomImageRequest, CreateCompShareCustomImageResponse};
use jingku_sources::{Disk, DiskError};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::view::to_json;

/// Starts the job after every check that can refuse the call.
pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: CreateCompShareCustomImageRequest,
) -> Result<CreateCompShareCustomImageResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    let not_found = || Error::ResourceNotFound(request.instance_id.to_string());
    let instance = context.catalog.instance(Some(caller.account().id), &request.instance_id).await?;
    let instance = instance.ok_or_else(not_found)?;
    if zones.is_some_and(|zones| !zones.contains(&instance.zone.as_str())) {
        return Err(Error::not_available("Zone"));
    }
    if instance.size_bytes > DISK_BYTES_MAX {
        return Err(Error::DiskTooLarge(instance.id));
    }
    let mut warnings = Vec::new();
    if instance.image_in_making.is_none() {
        let declared = check_disk(&instance.id, instance.disk).await?;
        check_disk_space(context, &instance.id, &declared.disk).await?;
        warnings.extend(declared.caution.map(|caution| caution.to_string()));
    }

    let id = image_id(&*context.random);
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
    };
    let job = &unique_id(&*context.random);
    failpoint::reached("create.before_row");
    let created = context.catalog.create_image(caller.own(), image, job, context.clock.now()).await?;
    failpoint::reached("create.after_row");
    match created {
        CreateImage::Created => {
            context.running.wake.notify_one();
            Ok(CreateCompShareCustomImageResponse { comp_share_image_id: id, warnings })
        }
        CreateImage::NameTaken => Err(caller.name_taken(context, "Name", &request.name).await),
        CreateImage::InstanceBusy => Err(Error::InstanceMakingImage(request.instance_id.into())),
        CreateImage::InstanceNotFound => Err(not_found()),
        CreateImage::OverLimit(over) => Err(Error::OverLimit(over)),
    }
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
        Error::DiskNotReadable(instance_id.to_owned(), disk_reason(&error))
    })
}

/// Refuses an image that may not fit into the store. After the first image of an instance only changed chunks are stored,
/// an unknown amount: then any free space suffices.
async fn check_disk_space(context: &Context, instance_id: &str, disk: &Disk) -> Result<(), Error> {
    let Some(disk_space) = &context.disk_space else { return Ok(()) };
    let free = match disk_space.free_bytes() {
        Ok(free) => free,
        Err(error) => {
            tracing::warn!(%error, "cannot read the free space");
            return Ok(());
        }
    };
    let free_bytes = free.saturating_sub(MARGIN_BYTES);
    let needed_bytes =
        if context.catalog.has_finished_job(instance_id).await? { 1 } else { needed_bytes(disk) };
    if needed_bytes <= free_bytes {
        return Ok(());
    }
    tracing::warn!(instance_id, needed_bytes, free_bytes, "no space for an image");
    Err(Error::StoreFull { instance: instance_id.to_owned(), needed_bytes })
}
