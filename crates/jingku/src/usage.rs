//! `jingku usage`: what the images take up, on the data folder, with or without a server running on it.

use jingku_library::{ImageUsage, Usage, UsageTotal};
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::Failure;
use crate::lang::tr;
use crate::operate::{open, open_folder};
use crate::output::{bytes, note, print, print_json, print_table};

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let context = open(global).await?;
    let usage = context.usage(&open_folder(global)?).await?;
    if global.json {
        return print_json(&to_json(&usage));
    }
    let headings = tr(
        ["IMAGE", "NAME", "ACCOUNT", "LOGICAL", "STORED", "UNIQUE", ""],
        ["镜像", "名称", "账号", "逻辑大小", "占用", "独占", ""],
    );
    let rows = usage.images.iter().map(row).collect();
    print_table(&headings, rows, 1, tr("No images.", "没有镜像。"))?;
    print("")?;
    let headings = tr(
        ["TOTAL", "IMAGES", "LOGICAL", "OBJECTS", "STORED"],
        ["合计", "镜像数", "逻辑大小", "对象数", "占用"],
    );
    let total = |name: &str, total: &UsageTotal| {
        let (images, objects) = (total.images.to_string(), total.objects.to_string());
        vec![name.to_owned(), images, bytes(total.logical_bytes), objects, bytes(total.stored_bytes)]
    };
    let rows = vec![
        total(tr("images", "镜像"), &usage.live),
        total(tr("only in the trash", "仅回收站"), &usage.trash),
        total(tr("garbage", "垃圾"), &usage.garbage),
    ];
    print_table(&headings, rows, 0, "")?;
    let damaged = usage.images.iter().filter(|image| image.damaged).count();
    if usage.missing_chunks > 0 || damaged > 0 {
        let missing = usage.missing_chunks;
        note(&tr(
            format!("Something is lost: {missing} chunks and the manifests of {damaged} images."),
            format!("数据有缺失：{missing} 个分块，{damaged} 个镜像的清单。"),
        ));
    }
    Ok(())
}

fn row(image: &ImageUsage) -> Vec<String> {
    let state = match (image.damaged, image.trashed) {
        (true, _) => tr("damaged", "已损坏"),
        (false, true) => tr("in the trash", "在回收站"),
        (false, false) => "",
    };
    vec![
        image.id.clone(),
        image.name.clone(),
        image.account.to_string(),
        bytes(image.logical_bytes),
        bytes(image.stored_bytes),
        bytes(image.unique_bytes),
        state.to_owned(),
    ]
}

fn to_json(usage: &Usage) -> Value {
    let total = |total: &UsageTotal| {
        json!({ "Images": total.images, "LogicalBytes": total.logical_bytes, "Objects": total.objects,
                "StoredBytes": total.stored_bytes })
    };
    let image = |image: &ImageUsage| {
        json!({ "CompShareImageId": image.id, "Name": image.name, "AccountId": image.account,
                "InTrash": image.trashed, "LogicalBytes": image.logical_bytes,
                "StoredBytes": image.stored_bytes, "UniqueBytes": image.unique_bytes, "Damaged": image.damaged })
    };
    json!({ "Images": usage.images.iter().map(image).collect::<Vec<_>>(), "Live": total(&usage.live),
            "Trash": total(&usage.trash), "Garbage": total(&usage.garbage), "MissingChunks": usage.missing_chunks })
}
