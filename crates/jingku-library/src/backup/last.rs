//! What the library knows of its last backup. The folder of the backup is perhaps on another machine.

use std::path::Path;

use jingku_catalog::CatalogError;
use serde::{Deserialize, Serialize};

use super::record::GenerationRecord;
use crate::library::Library;

/// The name of the state.
const BACKUP: &str = "backup";

/// The last backup that was completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// When it was taken, in Unix seconds.
    pub taken_at: i64,
    /// The number of its generation.
    pub generation: u64,
    /// How many images it has, including the trash.
    pub images: u64,
    /// Its folder, as the command saw it.
    pub folder: String,
}

impl LastBackup {
    pub(super) fn of(generation: u64, record: &GenerationRecord, folder: &Path) -> Self {
        let (taken_at, images) = (record.taken_at, record.images);
        Self { taken_at, generation, images, folder: folder.display().to_string() }
    }
}

impl Library {
    /// Records a backup. Without the record, the backup is as good.
    pub(super) async fn note_backup(&self, backup: &LastBackup) {
        if self.is_read_only() {
            return;
        }
        if let Err(error) = self.keep_task_state(BACKUP, None, backup).await {
            tracing::warn!(%error, "cannot record that a backup was made");
        }
    }

    /// The last backup; `None` if there was none, or if an older version made it.
    pub async fn last_backup(&self) -> Result<Option<LastBackup>, CatalogError> {
        self.task_state(BACKUP).await
    }
}
