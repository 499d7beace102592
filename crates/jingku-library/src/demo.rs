//! Two small demo disks.

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
    let ids = ["uhost-demo1", "uhost-demo2"];
    let folder = data.create_folder("demo")?;
    for (id, (format, seed)) in ids.into_iter().zip([(DiskFormat::Raw, 1), (DiskFormat::Qcow2, 2)]) {
        if library.catalog.instance(None, id).await?.is_some() {
            continue;
        }
        let disk = folder.join(format!("{id}.{format}"));
        if !disk.exists() {
            write_demo_disk(&disk, format, seed)?;
        }
        let (format, gpu_type) = (Some(format), "4090");
        let new = NewInstance { id, name: None, account: 1, zone: None, disk: &disk, format, gpu_type };
        library.add_instance(new).await?;
    }
    Ok(ids)
}
