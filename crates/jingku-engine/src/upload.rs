//! Writes files into containers.

use bollard::body_full;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use tar::{Builder, EntryType, Header};

use crate::engine::{CHANGE_TIMEOUT, Engine};
use crate::error::EngineError;

impl Engine {
    /// Writes a file that only root can read, and its folder, such as `root/.ssh`. Replaces the file. The container need not
    /// run, and needs no programs.
    pub async fn write_private_file(
        &self,
        id: &str,
        folder: &str,
        name: &str,
        content: &[u8],
    ) -> Result<(), EngineError> {
        let archive =
            archive(folder, name, content).map_err(|error| EngineError::Failed(error.to_string()))?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let docker = self.patient(CHANGE_TIMEOUT);
        Ok(docker.upload_to_container(id, Some(options), body_full(archive.into())).await?)
    }
}

fn archive(folder: &str, name: &str, content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    let mut add = |kind, path: String, mode, content: &[u8]| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content)
    };
    add(EntryType::Directory, format!("{folder}/"), 0o700, &[])?;
    add(EntryType::Regular, format!("{folder}/{name}"), 0o600, content)?;
    builder.into_inner()
}
