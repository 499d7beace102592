//! `jingku backup` and `jingku restore`.

use jingku_library::{
    BackUp, BackedUp, Copied, Damage, Generation, Generations, RestoreBackup, list_backup, restore_backup,
};
use serde_json::{Value, json};

use crate::args::{BackupArgs, Global, RestoreArgs};
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::operate::{done, open, open_folder};
use crate::output::{bytes, note, print_json, print_table, time};

pub(crate) async fn run(global: &Global, args: &BackupArgs) -> Result<(), Failure> {
    if args.list {
        return list(global, &list_backup(&args.folder)?);
    }
    let BackupArgs { verify, with_master_key, keep, force, .. } = *args;
    let how = BackUp { folder: &args.folder, verify, with_master_key, keep, force };
    let context = open(global).await?;
    tell(global, &context.back_up(&open_folder(global)?, how).await?)
}

fn list(global: &Global, backup: &Generations) -> Result<(), Failure> {
    if global.json {
        let generations = backup.generations.iter().map(to_json).collect::<Vec<_>>();
        return print_json(&json!({ "Library": backup.library, "Generations": generations }));
    }
    let headings = tr(
        ["GENERATION", "TAKEN", "IMAGES", "SIZE", "MASTER KEY"],
        ["编号", "备份时间", "镜像数", "大小", "主密钥"],
    );
    print_table(&headings, backup.generations.iter().map(row).collect(), 1, "")
}

fn row(generation: &Generation) -> Vec<String> {
    let number = generation.number.to_string();
    let Some(kept) = &generation.kept else {
        return vec![number, tr("damaged", "已损坏").to_owned(), String::new(), String::new(), String::new()];
    };
    let size = kept.bytes.map(bytes).unwrap_or_default();
    let key = if kept.master_key { tr("yes", "有") } else { tr("no", "无") };
    vec![number, time(kept.taken_at), kept.images.to_string(), size, key.to_owned()]
}

fn to_json(generation: &Generation) -> Value {
    let kept = generation.kept.as_ref();
    json!({ "Generation": generation.number, "Damaged": kept.is_none(), "TakenAt": kept.map(|kept| kept.taken_at),
            "Images": kept.map(|kept| kept.images), "Bytes": kept.and_then(|kept| kept.bytes),
            "WithMasterKey": kept.map(|kept| kept.master_key) })
}

fn tell(global: &Global, backed_up: &BackedUp) -> Result<(), Failure> {
    let BackedUp { generation, images, pruned, .. } = backed_up;
    let mut value = json!({ "Generation": generation, "Images": images, "CatalogBytes": backed_up.catalog_bytes,
                            "WithMasterKey": backed_up.master_key, "RemovedGenerations": pruned.generations,
                            "RemovedObjects": pruned.objects, "RemovedBytes": pruned.bytes });
    add(&mut value, &backed_up.copied, &backed_up.damage);
    let copied = copied(&backed_up.copied);
    let mut text = tr(
        format!("Backed up {images} images as generation {generation}: {copied}."),
        format!("已备份 {images} 个镜像，为第 {generation} 代：{copied}。"),
    );
    if pruned.generations > 0 {
        let (old, objects, size) = (pruned.generations, pruned.objects, bytes(pruned.bytes));
        text.push_str(&tr(
            format!(" {old} old generations removed, with {objects} objects ({size})."),
            format!("删除了 {old} 代旧备份，共 {objects} 个对象（{size}）。"),
        ));
    }
    done(global, &value, &text)?;
    if backed_up.master_key_changed {
        note(tr(
            "The master key has changed since the last backup, which has the old one: call it once with --with-master-key.",
            "主密钥在上次备份后已更换，备份中只有旧密钥：请加 --with-master-key 再备份一次。",
        ));
    } else if !backed_up.master_key {
        note(tr(
            "The master key is not in it: keep a copy elsewhere, or no key pair works after a restore.",
            "备份不含主密钥：请另行保存，否则恢复后所有密钥对都不可用。",
        ));
    }
    if let Some(why) = &pruned.stopped {
        note(&tr(
            format!("Nothing was removed from the backup, which takes up room and does no other harm: {why}"),
            format!("没有从备份中删除旧内容，仅多占用空间：{why}"),
        ));
    }
    if backed_up.damage.is_empty() {
        return Ok(());
    }
    let (hurt, lines) = (backed_up.damage.images.len(), backed_up.damage.lines());
    Err(Failure::new(
        Exit::Fault,
        tr(
            format!(
                "The backup is made, but {hurt} images are damaged in the data folder, and in the backup:{lines}"
            ),
            format!("备份已完成，但数据目录中有 {hurt} 个镜像已损坏，备份中也是如此：{lines}"),
        ),
    ))
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
    let text = tr(
        format!("{images} images as of {taken_at} (generation {generation}) are back in {place}: {copied}."),
        format!("已将 {taken_at}（第 {generation} 代）的 {images} 个镜像恢复到 {place}：{copied}。"),
    );
    done(global, &value, &text)?;
    if !restored.damage.is_empty() {
        let lines = restored.damage.lines();
        note(&tr(format!("Left out, being damaged:{lines}"), format!("已跳过损坏的镜像：{lines}")));
    }
    if !restored.master_key {
        note(&tr(
            format!(
                "The backup has no master key. Before the first start put the one of the old folder at \
                 {place}/master.key, or set JINGKU_MASTER_KEY: without it no key pair works."
            ),
            format!(
                "备份不含主密钥。首次启动前请把原来的密钥放到 {place}/master.key，或设置 JINGKU_MASTER_KEY，否则所有密钥对都不可用。"
            ),
        ));
    }
    Ok(())
}

fn copied(copied: &Copied) -> String {
    let Copied { objects, there_objects, mended_objects, .. } = copied;
    let (new, there) = (bytes(copied.bytes), bytes(copied.there_bytes));
    let mut text = tr(
        format!("{objects} objects copied ({new}), {there_objects} were there already ({there})"),
        format!("复制了 {objects} 个对象（{new}），{there_objects} 个已存在（{there}）"),
    );
    if *mended_objects > 0 {
        text.push_str(&tr(
            format!("; {mended_objects} damaged ones were replaced"),
            format!("，替换了 {mended_objects} 个损坏的对象"),
        ));
    }
    text
}

fn add(value: &mut Value, copied: &Copied, damage: &Damage) {
    value["CopiedObjects"] = json!(copied.objects);
    value["CopiedBytes"] = json!(copied.bytes);
    value["PresentObjects"] = json!(copied.there_objects);
    value["PresentBytes"] = json!(copied.there_bytes);
    value["MendedObjects"] = json!(copied.mended_objects);
    value["DamagedImages"] = json!(damage.images);
    value["DamagedObjects"] = json!(damage.objects);
}
