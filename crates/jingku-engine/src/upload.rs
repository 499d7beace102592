//! Writes files into containers.

use bollard::body_full;
use bollard::query_parameters::{ContainerArchiveInfoOptionsBuilder, UploadToContainerOptionsBuilder};
use tar::{Builder, EntryType, Header};

use crate::engine::{CHANGE_TIMEOUT, Engine};
use crate::error::EngineError;

/// A file or a folder of root to write into a container.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    /// Its path from the root directory, such as `root/note`. That of a folder ends with a slash.
    pub path: &'a str,
    /// Its permissions.
    pub mode: u32,
    /// Its content; empty for a folder.
    pub content: &'a [u8],
}

impl Engine {
    /// Writes files into a container, in place of those with the same path. The container need not run, and needs no
    /// programs.
    pub async fn write_files(&self, id: &str, files: &[NewFile<'_>]) -> Result<(), EngineError> {
        let archive = archive(files).map_err(|error| EngineError::Failed(error.to_string()))?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let docker = self.patient(CHANGE_TIMEOUT);
        Ok(docker.upload_to_container(id, Some(options), body_full(archive.into())).await?)
    }

    /// Tells whether a container, running or not, has a file with this absolute path.
    pub async fn has_file(&self, id: &str, path: &str) -> Result<bool, EngineError> {
        let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
        match self.docker.get_container_archive_info(id, Some(options)).await.map_err(EngineError::from) {
            Ok(_) => Ok(true),
            Err(EngineError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn archive(files: &[NewFile<'_>]) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_gnu();
        let is_folder = file.path.ends_with('/');
        header.set_entry_type(if is_folder { EntryType::Directory } else { EntryType::Regular });
        header.set_mode(file.mode);
        header.set_size(file.content.len() as u64);
        builder.append_data(&mut header, file.path, file.content)?;
    }
    builder.into_inner()
}
