//! `jingku check`: whether the images are what they should be, with or without a server running on the data folder.

mod status;

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use jingku_library::{CheckProgress, Checked, CorruptImage, CorruptObject, Corruption, Depth};
use serde_json::{Value, json};

use crate::args::{CheckArgs, Global};
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::operate::open;
use crate::output::{bytes, note, print, print_json, print_table};

/// The most objects that people are shown one by one; programs get what there is.
const OBJECTS_SHOWN: usize = 20;

pub(crate) use status::summary;

pub(crate) async fn run(global: &Global, args: CheckArgs) -> Result<(), Failure> {
    if args.status {
        return status::run(global);
    }
    let context = open(global).await?;
    let depth = match args.subset {
        Some((nth, of)) => Depth::Part { nth, of },
        None if args.read_data => Depth::Bytes,
        None => Depth::Headers,
    };
    let bar = bar();
    let (shown, read) = (bar.clone(), AtomicU64::new(0));
    let watch = move |seen: CheckProgress| {
        let read = read.fetch_add(seen.read_bytes, Ordering::Relaxed) + seen.read_bytes;
        // Threads are not all at the same place.
        shown.set_position(seen.per_mille().max(shown.position()));
        shown.set_message(speed(read, &shown));
        true
    };
    let checked = context.check(depth, watch).await?;
    bar.finish_and_clear();
    let Some(checked) = checked else { return Ok(()) };
    if global.json {
        print_json(&to_json(&checked))?;
    } else {
        show(&checked)?;
    }
    if checked.is_clean() { Ok(()) } else { Err(failure(&checked)) }
}

/// Drawn on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let template =
        tr("{bar:32} {percent:>3}%  {msg}  {eta} left", "{bar:32} {percent:>3}%  {msg}  剩余 {eta}");
    let style = ProgressStyle::with_template(template).expect("the template is right");
    ProgressBar::new(1000).with_style(style)
}

fn speed(read: u64, bar: &ProgressBar) -> String {
    let millis = u64::try_from(bar.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    format!("{} MB/s", read / 1000 / millis)
}

fn show(checked: &Checked) -> Result<(), Failure> {
    let Checked { images, manifests, chunks, read_chunks, .. } = checked;
    let read = bytes(checked.read_bytes);
    print(&tr(
        format!(
            "{images} images, {manifests} manifests, {chunks} chunks; {read_chunks} read in full ({read})."
        ),
        format!(
            "{images} 个镜像，{manifests} 个清单，{chunks} 个分块；完整读取了 {read_chunks} 个（{read}）。"
        ),
    ))?;
    if checked.spare_objects > 0 {
        let spare = checked.spare_objects;
        note(&tr(
            format!("{spare} damaged chunks are needed by no image; `jingku sweep` removes them."),
            format!("有 {spare} 个损坏的分块不属于任何镜像，可用 `jingku sweep` 删除。"),
        ));
    }
    if checked.is_clean() {
        return print(tr("All is well.", "一切正常。"));
    }
    for line in &checked.database {
        print(&tr(format!("catalogue: {line}"), format!("目录数据库：{line}")))?;
    }
    let headings = tr(["IMAGE", "NAME", "ACCOUNT", "", "DAMAGE"], ["镜像", "名称", "账号", "", "损坏情况"]);
    print_table(&headings, checked.corrupt.iter().map(row).collect(), 4, "")?;
    for object in checked.objects.iter().take(OBJECTS_SHOWN) {
        print(&line(object))?;
    }
    let more = checked.object_count.saturating_sub(OBJECTS_SHOWN as u64);
    if more > 0 {
        print(&tr(format!("… and {more} objects more"), format!("……另有 {more} 个对象")))?;
    }
    Ok(())
}

fn row(image: &CorruptImage) -> Vec<String> {
    let trashed = if image.trashed { tr("in the trash", "在回收站") } else { "" };
    let (id, name, account) = (image.id.clone(), image.name.clone(), image.account.to_string());
    vec![id, name, account, trashed.to_owned(), why(&image.why)]
}

fn why(hurt: &Corruption) -> String {
    match hurt {
        Corruption::Bits => tr("bytes are lost or damaged", "数据缺失或损坏").to_owned(),
        Corruption::NoManifest => tr("its row names no manifest", "记录中没有清单").to_owned(),
        Corruption::BadName(text) => tr(
            format!("its row names {text:?}, which is no manifest"),
            format!("记录中的 {text:?} 不是清单名"),
        ),
        Corruption::Size { row, manifest } => tr(
            format!("its row says {row} bytes, its manifest {manifest}"),
            format!("记录为 {row} 字节，清单为 {manifest} 字节"),
        ),
    }
}

fn line(object: &CorruptObject) -> String {
    let CorruptObject { key, reason, images } = object;
    let images = images.join(", ");
    tr(format!("{key}: {reason}. Needed by {images}"), format!("{key}：{reason}。涉及 {images}"))
}

fn failure(checked: &Checked) -> Failure {
    if !checked.database.is_empty() {
        return Failure::new(
            Exit::Fault,
            tr(
                "The catalogue is damaged. Stop the server, keep the folder as it is, and put a backup back into another one: \
                 `jingku restore`.",
                "目录数据库已损坏。请停止服务，保留该目录原样，并用 `jingku restore` 把备份恢复到另一个目录。",
            ),
        );
    }
    let hurt = checked.corrupt.len();
    Failure::new(
        Exit::Fault,
        tr(
            format!(
                "{hurt} images are damaged. Make each again from its instance, which mends the damaged chunks, or put a backup \
                 back: `jingku restore`."
            ),
            format!(
                "{hurt} 个镜像已损坏。请从原实例重新制作（会修复损坏的分块），或用 `jingku restore` 恢复备份。"
            ),
        ),
    )
}

fn to_json(checked: &Checked) -> Value {
    let image = |image: &CorruptImage| {
        json!({ "CompShareImageId": image.id, "Name": image.name, "AccountId": image.account,
                "InTrash": image.trashed, "Damage": why(&image.why) })
    };
    let object = |object: &CorruptObject| json!({ "Object": object.key.to_string(), "Damage": object.reason, "Images": object.images });
    json!({ "Clean": checked.is_clean(), "Images": checked.images, "Manifests": checked.manifests,
            "Chunks": checked.chunks, "ReadChunks": checked.read_chunks, "ReadBytes": checked.read_bytes,
            "DamagedImages": checked.corrupt.iter().map(image).collect::<Vec<_>>(),
            "DamagedObjects": checked.objects.iter().map(object).collect::<Vec<_>>(),
            "DamagedObjectCount": checked.object_count, "DamagedSpareObjects": checked.spare_objects,
            "Catalog": checked.database })
}

/// A part of all, as in 1/7.
pub(crate) fn subset(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('/').and_then(|(nth, of)| Some((nth.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((nth, of)) if (1..=of).contains(&nth) && of <= PARTS_MAX => Ok((nth, of)),
        _ => Err(tr("write a part of all, such as 1/7", "请写成第几份/共几份，如 1/7").to_owned()),
    }
}

/// The most parts for `check --subset`: one a day for a year.
const PARTS_MAX: u64 = 366;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_of_all() {
        assert_eq!(["1/7", "7/7", "1/1"].map(subset), [Ok((1, 7)), Ok((7, 7)), Ok((1, 1))]);
        for text in ["0/7", "8/7", "1", "1/0", "/", "a/b", "-1/7", "1/367", "1/7/2", ""] {
            assert!(subset(text).is_err(), "{text:?}");
        }
    }
}
