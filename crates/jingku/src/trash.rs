//! `jingku trash`: deleted images, on the data directory, with or without a server running on it.

use jingku_library::{EmptyTrash, TrashedImage};
use serde_json::{Value, json};

use crate::args::{Global, TrashCommand};
use crate::failure::Failure;
use crate::library::{open, open_with, read_config};
use crate::messages::tr;
use crate::output::{done, print_json, print_table, size, time, warn};

pub(crate) async fn run(global: &Global, command: TrashCommand) -> Result<(), Failure> {
    match command {
        TrashCommand::List => {
            let context = open(global).await?;
            let images = context.trash().await?;
            if let Some(held) = context.held_back_secs().filter(|_| !images.is_empty()) {
                warn(&held_back(held));
            }
            list(global, images)
        }
        TrashCommand::Restore { image_id, name, config } => {
            let context = open_with(global, &read_config(config.as_deref())?).await?;
            let name = context.restore_image(&image_id, name.as_deref()).await?;
            let value = json!({ "CompShareImageId": image_id, "Name": name });
            let text = tr!("trash-restored", name = name.as_str());
            done(global, &value, &text)
        }
        TrashCommand::Empty { image_ids, older_than, dry_run } => {
            let older_than_secs = older_than.unwrap_or(0);
            let what = EmptyTrash { ids: &image_ids, older_than_secs, dry_run };
            let emptied = open(global).await?.empty_trash(what).await?;
            let value = json!({ "Images": emptied.images, "LogicalBytes": emptied.bytes, "DryRun": dry_run });
            let (images, size) = (emptied.images, size(emptied.bytes.div_euclid(1 << 20)));
            let text = if dry_run {
                tr!("trash-would-empty", images = images, size = size)
            } else {
                tr!("trash-emptied", images = images, size = size)
            };
            done(global, &value, &text)
        }
    }
}

fn list(global: &Global, images: Vec<TrashedImage>) -> Result<(), Failure> {
    if global.json {
        return print_json(&images.iter().map(to_json).collect::<Vec<_>>());
    }
    let headings = [
        tr!("table-image"),
        tr!("table-name"),
        tr!("table-account"),
        tr!("table-status"),
        tr!("table-size"),
        tr!("table-deleted"),
    ];
    let row = |image: TrashedImage| {
        let account = format!("{} {}", image.account.0, image.owner_name);
        let (size, deleted) = (size(image.size_bytes.div_euclid(1 << 20)), time(image.deleted_at));
        vec![image.id, image.name, account, image.status.as_str().to_owned(), size, deleted]
    };
    let none = || tr!("trash-none");
    print_table(&headings, images.into_iter().map(row).collect(), 1, none)
}

fn to_json(image: &TrashedImage) -> Value {
    json!({ "CompShareImageId": image.id, "Name": image.name, "AccountId": image.account.0,
            "AccountName": image.owner_name, "Status": image.status.as_str(), "Bytes": image.size_bytes,
            "CreateTime": image.create_time, "DeleteTime": image.deleted_at })
}

/// Why images do not expire at the moment.
fn held_back(secs: i64) -> String {
    let hours = u64::try_from(secs).unwrap_or(0).div_ceil(60 * 60);
    tr!("trash-held-back", hours = hours)
}
