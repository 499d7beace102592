//! The progress of the tasks that one server does for all: in the catalogue if several share it, else in the data directory.

use jingku_catalog::CatalogError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::library::Library;

impl Library {
    /// The state of a task; `None` if there is none or it cannot be read.
    pub(crate) async fn task_state<T: DeserializeOwned>(
        &self,
        task: &str,
    ) -> Result<Option<T>, CatalogError> {
        match &self.data {
            Some(_) if self.is_shared => Ok(serde_json::from_str(&self.catalog.task_state(task).await?).ok()),
            Some(data) => Ok(data.state(task)),
            None => Ok(None),
        }
    }

    /// Saves the state of a task, unless another server has got it since the lease `lease`.
    pub(crate) async fn keep_task_state<T: Serialize>(
        &self,
        task: &str,
        lease: Option<i64>,
        state: &T,
    ) -> Result<(), CatalogError> {
        match &self.data {
            Some(_) if self.is_shared => {
                let text = serde_json::to_string(state).expect("states serialise");
                if !self.catalog.set_task_state(task, lease, &text).await? {
                    tracing::warn!(
                        task,
                        "another server has got a task of this one: its progress is not saved"
                    );
                }
            }
            Some(data) => data.keep_state(task, state),
            None => {}
        }
        Ok(())
    }
}
