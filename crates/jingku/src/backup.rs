//! `jingku backup` and `jingku restore`.

use jingku_library::{
    BackUp, BackedUp, Copied, Damage, Generation, GenerationRecord, RestoreBackup, list_backup,
    restore_backup,
};
use serde_json::{Value, json};

use crate::args::{BackupArgs, Global, RestoreArgs};
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::library::{open, open_data_dir};
use crate::messages::tr;
use crate::output::{bytes, done, note, print_json, print_table, time};

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
    let headings = [
        tr!("table-generation"),
        tr!("table-taken"),
        tr!("table-images"),
        tr!("table-size"),
        tr!("table-master-key"),
    ];
    print_table(&headings, generations.iter().map(row).collect(), 1, String::new)
}

fn row(generation: &Generation) -> Vec<String> {
    let number = generation.number.to_string();
    let Some(record) = &generation.record else {
        return vec![number, tr!("backup-damaged"), String::new(), String::new(), String::new()];
    };
    let size = record.bytes.map(bytes).unwrap_or_default();
    let key = if record.has_master_key() { tr!("backup-yes") } else { tr!("backup-no") };
    vec![number, time(record.taken_at), record.images.to_string(), size, key]
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
    let mut text = tr!("backup-done", images = *images, generation = *generation, copied = copied);
    if pruned.generations > 0 {
        let (generations, objects, size) = (pruned.generations, pruned.objects, bytes(pruned.bytes));
        let removed = tr!("backup-pruned", generations = generations, objects = objects, size = size);
        text = tr!("output-advice", message = text, advice = removed);
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
    let (corrupted, lines) = (backed_up.damage.images.len(), backed_up.damage.lines());
    Err(Failure::new(Exit::Fault, tr!("backup-images-damaged", count = corrupted, lines = lines)))
}

pub(crate) async fn restore(global: &Global, args: &RestoreArgs) -> Result<(), Failure> {
    let data = data_dir(global)?;
    let RestoreArgs { folder, at, skip_damaged } = args;
    let how = RestoreBackup { folder, generation: *at, data: &data, skip_damaged: *skip_damaged };
    let restored = restore_backup(how).await?;
    let (images, taken_at) = (restored.images, time(restored.taken_at));
    let mut value = json!({ "Generation": restored.generation, "Images": images, "TakenAt": restored.taken_at, "WithMasterKey": restored.master_key });
    add(&mut value, &restored.copied, &restored.damage);
    let (copied, place, generation) = (copied(&restored.copied), data.display(), restored.generation);
    let text = tr!(
        "backup-restored",
        images = images,
        time = taken_at,
        generation = generation,
        path = place.to_string(),
        copied = copied,
    );
    done(global, &value, &text)?;
    if !restored.damage.is_empty() {
        let lines = restored.damage.lines();
        note(&tr!("backup-restore-skipped", lines = lines));
    }
    if !restored.master_key {
        note(&tr!("backup-restore-no-master-key", path = place.to_string()));
    }
    Ok(())
}

fn copied(copied: &Copied) -> String {
    let (objects, size) = (copied.objects, bytes(copied.bytes));
    let (present, present_size) = (copied.existing_objects, bytes(copied.existing_bytes));
    let repaired = copied.repaired_objects;
    if repaired > 0 {
        return tr!(
            "backup-copied-repaired",
            objects = objects,
            size = size,
            present = present,
            present_size = present_size,
            repaired = repaired,
        );
    }
    tr!("backup-copied", objects = objects, size = size, present = present, present_size = present_size)
}

fn add(value: &mut Value, copied: &Copied, damage: &Damage) {
    value["CopiedObjects"] = json!(copied.objects);
    value["CopiedBytes"] = json!(copied.bytes);
    value["PresentObjects"] = json!(copied.existing_objects);
    value["PresentBytes"] = json!(copied.existing_bytes);
    value["MendedObjects"] = json!(copied.repaired_objects);
    value["DamagedImages"] = json!(damage.images);
    value["DamagedObjects"] = json!(damage.objects);
}
