//! Two small demo disks.

use std::path::Path;

use jingku_sources::DiskFormat;
use jingku_sources::demo::write_demo_disk;

use crate::data_dir::DataDir;
use crate::error::LibraryError;
use crate::library::Library;
use crate::operator::NewInstance;

/// The name of a demo image.
pub const DEMO_IMAGE_NAME: &str = "my-custom-env";

/// Adds the demo instances, unless they exist, and returns their ids.
pub async fn add_demo_instances(
    library: &Library,
    data: &DataDir,
) -> Result<[&'static str; 2], LibraryError> {
    let folder = data.path().join("demo");
    data.create_folder("demo")?;
    let raw = add(library, &folder, "uhost-demo1", DiskFormat::Raw, 1).await?;
    let qcow2 = add(library, &folder, "uhost-demo2", DiskFormat::Qcow2, 2).await?;
    Ok([raw, qcow2])
}

async fn add(
    library: &Library,
    folder: &Path,
    id: &'static str,
    format: DiskFormat,
    seed: u64,
) -> Result<&'static str, LibraryError> {
    if library.catalog.instance(None, id).await?.is_some() {
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
    library.add_instance(new).await?;
    Ok(id)
}
