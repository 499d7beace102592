//! The generations of a backup.

use std::path::Path;

use jingku_catalog::{Catalog, ManifestUse};
use jingku_chunks::{ManifestId, Store, SweepPlan, SweepReport};

use super::BackupError;
use super::folder::{Folder, copy_catalog, read_checked, remove_catalog};
use super::record::{Generation, GenerationRecord};
use crate::failpoint;
use crate::referenced::all_images;

/// Lists the generations of a backup, the newest first. Changes nothing.
pub fn list_backup(path: &Path) -> Result<Vec<Generation>, BackupError> {
    let mut generations = Folder::open(path)?.generations()?;
    generations.reverse();
    Ok(generations)
}

/// Turns the single generation of a version 1 backup into the first of several, unless it belongs to another library. The
/// backup stays complete if the command is killed.
pub(super) async fn adopt_first(folder: &Folder, library: &str) -> Result<(), BackupError> {
    let Some(first) = GenerationRecord::read(&folder.first_record())? else { return Ok(()) };
    if !folder.generations()?.iter().any(|entry| entry.number == 1 && entry.path != folder.first_record()) {
        let (found, _) = read_generation(folder, &first).await?;
        if let Some(found) = found.filter(|found| found != library) {
            return Err(another_library(folder.path(), found, library));
        }
        let mut keys = Vec::new();
        for (name, hash) in &first.keys {
            let bytes = read_checked(&folder.key(&first, name, hash), hash)?;
            keys.push((name.clone(), folder.keep_key(&bytes)?));
        }
        folder.write_record(1, &GenerationRecord { library: Some(library.to_owned()), keys, ..first })?;
        failpoint::reached("backup.adopted");
    }
    Ok(folder.remove_first_record()?)
}

/// What was removed from a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many generations.
    pub generations: u64,
    /// Chunks and manifests that no remaining generation names.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why unnamed objects were not removed; `None` if they were.
    pub stopped: Option<String>,
}

/// Keeps the newest generations and removes the others with what only they named. If a record cannot be read, its objects
/// are unknown, and nothing is removed.
pub(super) async fn prune(folder: &Folder, store: &Store, keep: usize) -> Result<Pruned, BackupError> {
    let mut entries = folder.generations()?;
    if let Some(damaged) = entries.iter().find(|entry| entry.record.is_none()) {
        let stopped = BackupError::DamagedFile(damaged.path.clone()).to_string();
        return Ok(Pruned { stopped: Some(stopped), ..Pruned::default() });
    }
    let kept = entries.split_off(entries.len().saturating_sub(keep));
    for old in &entries {
        folder.remove_record(old.number)?;
        failpoint::reached("backup.generation_removed");
    }
    let records: Vec<GenerationRecord> = kept.into_iter().filter_map(|entry| entry.record).collect();
    folder.remove_unnamed(&records);
    if entries.is_empty() {
        return Ok(Pruned::default());
    }
    let mut pruned = Pruned { generations: entries.len() as u64, ..Pruned::default() };
    match sweep(folder, store, &records).await {
        Ok(swept) => {
            pruned.objects = swept.chunks + swept.manifests;
            pruned.bytes = swept.bytes;
        }
        // The backup is complete; what remains only occupies space.
        Err(error) => pruned.stopped = Some(error.to_string()),
    }
    Ok(pruned)
}

async fn sweep(
    folder: &Folder,
    store: &Store,
    records: &[GenerationRecord],
) -> Result<SweepReport, BackupError> {
    let mut live: Vec<ManifestId> = Vec::new();
    for record in records {
        let (_, images) = read_generation(folder, record).await?;
        for text in images.iter().filter_map(|image| image.manifest.as_ref()) {
            // A malformed name names no object.
            live.extend(text.parse::<ManifestId>().ok());
        }
        live.sort_unstable();
        live.dedup();
    }
    let mut sweep = store.sweep(SweepPlan::default());
    let sweeping = tokio::task::spawn_blocking(move || {
        while sweep.step(&mut || Ok::<_, jingku_chunks::Error>(live.clone()))? {
            failpoint::reached("backup.swept_a_part");
        }
        Ok::<_, jingku_chunks::Error>(sweep.swept())
    });
    Ok(sweeping.await??)
}

/// The library and the images of a generation.
async fn read_generation(
    folder: &Folder,
    record: &GenerationRecord,
) -> Result<(Option<String>, Vec<ManifestUse>), BackupError> {
    let staged = folder.path().join("catalog.look");
    remove_catalog(&staged)?;
    copy_catalog(&folder.catalog(&record.catalog), &staged, &record.catalog)?;
    let catalog = Catalog::open_sqlite(&staged).await?;
    let found = (catalog.library_id().await?, all_images(&catalog).await?);
    drop(catalog);
    remove_catalog(&staged)?;
    Ok(found)
}

pub(super) fn another_library(folder: &Path, found: String, own: &str) -> BackupError {
    BackupError::AnotherLibrary { folder: folder.to_owned(), found, own: own.to_owned() }
}
