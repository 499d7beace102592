//! Two small real disks to try everything on.

use std::path::Path;

use jingku_sources::DiskFormat;
use jingku_sources::demo::write_demo_disk;

use crate::data_dir::DataDir;
use crate::library::Library;
use crate::operator::{NewInstance, OperatorError};

/// The name under which a demo image is made.
pub const DEMO_IMAGE_NAME: &str = "my-custom-env";

/// Adds the demo's instances, unless they are there, and returns their ids.
pub async fn add_demo_instances(
    context: &Library,
    data: &DataDir,
) -> Result<[&'static str; 2], OperatorError> {
    let folder = data.path().join("demo");
    data.create_folder("demo")?;
    let raw = add(context, &folder, "uhost-demo1", DiskFormat::Raw, 1).await?;
    let qcow2 = add(context, &folder, "uhost-demo2", DiskFormat::Qcow2, 2).await?;
    Ok([raw, qcow2])
}

async fn add(
    context: &Library,
    folder: &Path,
    id: &'static str,
    format: DiskFormat,
    seed: u64,
) -> Result<&'static str, OperatorError> {
    if context.catalog.instance(None, id).await?.is_some() {
        return Ok(id);
    }
    let disk = folder.join(format!("{id}.{format}"));
    if !disk.exists() {
        write_demo_disk(&disk, format, seed)?;
    }
    let new = NewInstance {
        id,
        name: None,
        account: 1,
        zone: None,
        disk: &disk,
        format: Some(format),
        gpu_type: "4090",
    };
    context.add_instance(new).await?;
    Ok(id)
}
