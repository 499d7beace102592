//! `jingku trash`: what was deleted, on the data folder, with or without a server running on it.

use jingku_library::{EmptyTrash, HeldBack, TrashedImage};
use serde_json::{Value, json};

use crate::args::{Global, TrashCommand};
use crate::failure::Failure;
use crate::lang::tr;
use crate::operate::{done, open, open_with};
use crate::output::{print_json, print_table, size, time, warn};
use crate::serve::read_config;

pub(crate) async fn run(global: &Global, command: TrashCommand) -> Result<(), Failure> {
    match command {
        TrashCommand::List => {
            let context = open(global).await?;
            let images = context.trash().await?;
            if let Some(held) = context.held_back().filter(|_| !images.is_empty()) {
                warn(&held_back(held));
            }
            list(global, images)
        }
        TrashCommand::Restore { image_id, name, config } => {
            let context = open_with(global, &read_config(config.as_deref())?).await?;
            let name = context.restore_image(&image_id, name.as_deref()).await?;
            let value = json!({ "CompShareImageId": image_id, "Name": name });
            let text =
                tr(format!("Back as {name}, private."), format!("已恢复，名称为 {name}，仅自己可见。"));
            done(global, &value, &text)
        }
        TrashCommand::Empty { image_ids, older_than, dry_run } => {
            let older_than_secs = older_than.unwrap_or(0);
            let what = EmptyTrash { ids: &image_ids, older_than_secs, dry_run };
            let emptied = open(global).await?.empty_trash(what).await?;
            let value = json!({ "Images": emptied.images, "LogicalBytes": emptied.bytes, "DryRun": dry_run });
            let (images, size) = (emptied.images, size(emptied.bytes.div_euclid(1 << 20)));
            let text = if dry_run {
                tr(
                    format!("{images} images of {size} would go for good."),
                    format!("将彻底清除 {images} 个镜像，共 {size}。"),
                )
            } else {
                tr(
                    format!("{images} images of {size} are gone for good."),
                    format!("已彻底清除 {images} 个镜像，共 {size}。"),
                )
            };
            done(global, &value, &text)
        }
    }
}

fn list(global: &Global, images: Vec<TrashedImage>) -> Result<(), Failure> {
    if global.json {
        return print_json(&images.iter().map(to_json).collect::<Vec<_>>());
    }
    let headings = tr(
        ["IMAGE", "NAME", "ACCOUNT", "STATUS", "SIZE", "DELETED"],
        ["镜像", "名称", "账号", "状态", "大小", "删除时间"],
    );
    let row = |image: TrashedImage| {
        let account = format!("{} {}", image.account.0, image.owner_name);
        let (size, deleted) = (size(image.size_bytes.div_euclid(1 << 20)), time(image.deleted_at));
        vec![image.id, image.name, account, image.status.as_str().to_owned(), size, deleted]
    };
    let none = tr("The trash is empty.", "回收站是空的。");
    print_table(&headings, images.into_iter().map(row).collect(), 1, none)
}

fn to_json(image: &TrashedImage) -> Value {
    json!({ "CompShareImageId": image.id, "Name": image.name, "AccountId": image.account.0,
            "AccountName": image.owner_name, "Status": image.status.as_str(), "Bytes": image.size_bytes,
            "CreateTime": image.create_time, "DeleteTime": image.deleted_at })
}

/// Why nothing goes by age just now.
fn held_back(held: HeldBack) -> String {
    let hours = u64::try_from(held.for_secs).unwrap_or(0).div_ceil(60 * 60);
    tr(
        format!(
            "The clock has jumped ahead, or no server has run for a day yet: nothing leaves the trash by age until a server \
             has run for {hours} more hours. Check the clock of this machine. `jingku trash empty` empties it at once."
        ),
        format!(
            "系统时钟曾向前跳变，或服务运行尚不足一天：服务再运行 {hours} 小时之前，回收站不会按时间清除任何镜像。请检查本机时钟。\
             `jingku trash empty` 可立即清空。"
        ),
    )
}

/// How long ago, in seconds: days, hours, minutes or seconds.
pub(crate) fn age(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "d" => Some(24 * 60 * 60),
        "h" => Some(60 * 60),
        "m" => Some(60),
        "s" => Some(1),
        _ => None,
    };
    let age = unit.and_then(|unit| i64::from(digits.parse::<u32>().ok()?).checked_mul(unit));
    age.ok_or_else(|| {
        tr("write a whole number of d, h, m or s, such as 7d", "请写整数，单位 d、h、m 或 s，如 7d")
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(["7d", "12h", "0s"].map(age), [Ok(604_800), Ok(43_200), Ok(0)]);
        for text in ["7", "", "d", "-1d", "7 d", "7D", "99999999999d"] {
            assert!(age(text).is_err(), "{text:?}");
        }
    }
}
