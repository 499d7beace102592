//! The images of an engine.

use std::time::Duration;

use bollard::query_parameters::{ImportImageOptionsBuilder, RemoveImageOptionsBuilder};
use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::engine::Engine;
use crate::error::EngineError;

/// How long an engine may take to load an image.
const LOAD_TIMEOUT: Duration = Duration::from_hours(2);
/// How long an engine may take to remove the files of an image.
const REMOVE_TIMEOUT: Duration = Duration::from_mins(5);

impl Engine {
    /// Whether the engine has an image of this name or id.
    pub async fn has_image(&self, name: &str) -> Result<bool, EngineError> {
        match self.docker.inspect_image(name).await.map_err(EngineError::from) {
            Ok(_) => Ok(true),
            Err(EngineError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Loads the images of an archive that `docker save` could have written.
    pub async fn load<E>(
        &self,
        archive: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<(), EngineError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let docker = self.patient(LOAD_TIMEOUT);
        let mut messages = Box::pin(docker.import_image_stream(options, archive, None));
        while let Some(message) = messages.next().await {
            message?;
        }
        Ok(())
    }

    /// Removes the name of an image, and the image if it has no other and no container uses it. Does nothing if it is gone
    /// or in use.
    pub async fn remove_image(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptionsBuilder::new().build();
        let docker = self.patient(REMOVE_TIMEOUT);
        match docker.remove_image(name, Some(options), None).await.map_err(EngineError::from) {
            Ok(_) | Err(EngineError::NotFound(_) | EngineError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
