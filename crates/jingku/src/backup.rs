//! `jingku backup` and `jingku restore`.

use std::path::Path;

use jingku_service::{BackUp, Copied, Damage, DataDir, RestoreBackup, restore_backup};
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::operate::{done, open};
use crate::output::{bytes, note, time};

pub(crate) async fn back_up(global: &Global, how: &BackUp<'_>) -> Result<(), Failure> {
    let context = open(global).await?;
    let backed_up = context.back_up(&DataDir::open_or_create(&data_dir(global)?)?, *how).await?;
    let images = backed_up.images;
    let mut value = json!({ "Images": images, "CatalogBytes": backed_up.catalog_bytes,
                            "WithMasterKey": how.with_master_key });
    add(&mut value, &backed_up.copied, &backed_up.damage);
    let copied = copied(&backed_up.copied);
    let text =
        tr(format!("Backed up {images} images: {copied}."), format!("已备份 {images} 个镜像：{copied}。"));
    done(global, &value, &text)?;
    if !how.with_master_key {
        note(tr(
            "The master key is not in it: keep a copy elsewhere, or no key pair works after a restore.",
            "备份不含主密钥：请另行保存，否则恢复后所有密钥对都不可用。",
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

pub(crate) async fn restore(global: &Global, folder: &Path, skip_damaged: bool) -> Result<(), Failure> {
    let data = data_dir(global)?;
    let restored = restore_backup(RestoreBackup { folder, data: &data, skip_damaged }).await?;
    let (images, taken_at) = (restored.images, time(restored.taken_at));
    let mut value =
        json!({ "Images": images, "TakenAt": restored.taken_at, "WithMasterKey": restored.master_key });
    add(&mut value, &restored.copied, &restored.damage);
    let (copied, place) = (copied(&restored.copied), data.display());
    let text = tr(
        format!("{images} images as of {taken_at} are back in {place}: {copied}."),
        format!("已将 {taken_at} 的 {images} 个镜像恢复到 {place}：{copied}。"),
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
