//! `jingku backup` and `jingku restore`.

use jingku_library::{
    BackUp, BackedUp, Copied, Damage, Generation, GenerationRecord, RestoreBackup, list_backup,
    restore_backup,
};
use serde_json::{Value, json};

use crate::args::{BackupArgs, Global, RestoreArgs};
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::library::{environment, open, open_data_dir, read_config};
use crate::messages::tr;
use crate::output::{Listing, bytes, done, note, print_json, time};

pub(crate) async fn run(global: &Global, args: &BackupArgs) -> Result<(), Failure> {
    if args.list {
        return list(global, &list_backup(&args.folder)?);
    }
    let BackupArgs { verify, with_master_key, keep, force, .. } = *args;
    let how = BackUp { folder: &args.folder, verify, with_master_key, keep, force };
    let context = open(global).await?;
    report(global, &context.back_up(&open_data_dir(global)?, how).await?)
}

fn list(global: &Global, generations: &[Generation]) -> Result<(), Failure> {
    if global.json {
        let library = generations.iter().find_map(|generation| generation.record.as_ref()?.library.as_ref());
        let generations = generations.iter().map(to_json).collect::<Vec<_>>();
        return print_json(&json!({ "Library": library, "Generations": generations }));
    }
    let of = |generation: &Generation, text: fn(&GenerationRecord) -> String| {
        generation.record.as_ref().map(text).unwrap_or_default()
    };
    let taken = |generation: &Generation| match &generation.record {
        Some(record) => time(record.taken_at),
        None => tr!("backup-damaged"),
    };
    let size = |record: &GenerationRecord| record.bytes.map(bytes).unwrap_or_default();
    let key = |record: &GenerationRecord| {
        if record.has_master_key() { tr!("backup-yes") } else { tr!("backup-no") }
    };
    Listing::of(generations)
        .column(tr!("table-generation"), |generation| generation.number.to_string())
        .column(tr!("table-taken"), taken)
        .column(tr!("table-images"), |generation| of(generation, |record| record.images.to_string()))
        .column(tr!("table-size"), |generation| of(generation, size))
        .column(tr!("table-master-key"), |generation| of(generation, key))
        .print(1, "")
}

fn to_json(generation: &Generation) -> Value {
    let record = generation.record.as_ref();
    json!({ "Generation": generation.number, "Damaged": record.is_none(), "TakenAt": record.map(|record| record.taken_at),
            "Images": record.map(|record| record.images), "Bytes": record.and_then(|record| record.bytes),
            "WithMasterKey": record.map(GenerationRecord::has_master_key) })
}

fn report(global: &Global, backed_up: &BackedUp) -> Result<(), Failure> {
    let BackedUp { generation, images, pruned, .. } = backed_up;
    let mut value = json!({ "Generation": generation, "Images": images, "CatalogBytes": backed_up.catalog_bytes,
                            "WithMasterKey": backed_up.master_key, "RemovedGenerations": pruned.generations,
                            "RemovedObjects": pruned.objects, "RemovedBytes": pruned.bytes });
    add(&mut value, &backed_up.copied, &backed_up.damage);
    let copied = copied(&backed_up.copied);
    let mut text = tr!("backup-done", images = images, generation = generation, copied);
    if pruned.generations > 0 {
        let (generations, objects, size) = (pruned.generations, pruned.objects, bytes(pruned.bytes));
        let advice = tr!("backup-pruned", generations, objects, size);
        text = tr!("output-advice", message = text, advice);
    }
    done(global, &value, &text)?;
    if backed_up.master_key_changed {
        note(&tr!("backup-master-key-changed"));
    } else if !backed_up.master_key {
        note(&tr!("backup-master-key-absent"));
    }
    if let Some(why) = &pruned.stopped {
        note(&tr!("backup-prune-stopped", reason = why));
    }
    if backed_up.damage.is_empty() {
        return Ok(());
    }
    let (count, lines) = (backed_up.damage.images.len(), backed_up.damage.lines());
    Err(Failure::new(Exit::Fault, tr!("backup-images-damaged", count, lines)))
}

pub(crate) async fn restore(global: &Global, args: &RestoreArgs) -> Result<(), Failure> {
    let data = data_dir(global)?;
    let RestoreArgs { folder, at, skip_damaged, config } = args;
    let (config, environment) = (read_config(config.as_deref())?, environment());
    let (generation, skip_damaged) = (*at, *skip_damaged);
    let how = RestoreBackup {
        folder,
        generation,
        data: &data,
        skip_damaged,
        config: &config,
        environment: &environment,
    };
    let restored = restore_backup(how).await?;
    let (images, taken_at) = (restored.images, time(restored.taken_at));
    let mut value = json!({ "Generation": restored.generation, "Images": images, "TakenAt": restored.taken_at, "WithMasterKey": restored.master_key });
    add(&mut value, &restored.copied, &restored.damage);
    let (copied, generation) = (copied(&restored.copied), restored.generation);
    let text = tr!("backup-restored", images, time = taken_at, generation, path = data, copied);
    done(global, &value, &text)?;
    if !restored.damage.is_empty() {
        note(&tr!("backup-restore-skipped", lines = restored.damage.lines()));
    }
    if !restored.master_key {
        note(&tr!("backup-restore-no-master-key", path = data));
    }
    Ok(())
}

/// What was copied, as a part of a sentence.
pub(crate) fn copied(copied: &Copied) -> String {
    let (objects, size) = (copied.objects, bytes(copied.bytes));
    let (present, present_size) = (copied.existing_objects, bytes(copied.existing_bytes));
    match copied.repaired_objects {
        0 => tr!("backup-copied", objects, size, present, present_size),
        repaired => tr!("backup-copied-repaired", objects, size, present, present_size, repaired),
    }
}

/// Adds what was copied to the output for programs.
pub(crate) fn add(value: &mut Value, copied: &Copied, damage: &Damage) {
    value["CopiedObjects"] = json!(copied.objects);
    value["CopiedBytes"] = json!(copied.bytes);
    value["PresentObjects"] = json!(copied.existing_objects);
    value["PresentBytes"] = json!(copied.existing_bytes);
    value["MendedObjects"] = json!(copied.repaired_objects);
    value["DamagedImages"] = json!(damage.images);
    value["DamagedObjects"] = json!(damage.objects);
}
