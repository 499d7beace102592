//! `jingku trash`: deleted images, on the data directory, with or without a server running on it.

use jingku_library::{EmptyTrash, TrashedImage};
use serde_json::{Value, json};

use crate::args::{Global, TrashCommand};
use crate::failure::Failure;
use crate::library::{open, open_with, read_config};
use crate::messages::tr;
use crate::output::{Listing, done, print_json, size, time, warn};

pub(crate) async fn run(global: &Global, command: TrashCommand) -> Result<(), Failure> {
    match command {
        TrashCommand::List => {
            let context = open(global).await?;
            let images = context.trash().await?;
            if let Some(secs) = context.held_back_secs().filter(|_| !images.is_empty()) {
                let hours = u64::try_from(secs).unwrap_or(0).div_ceil(60 * 60);
                warn(&tr!("trash-held-back", hours));
            }
            list(global, &images)
        }
        TrashCommand::Restore { image_id, name, config } => {
            let context = open_with(global, &read_config(config.as_deref())?).await?;
            let name = context.restore_image(&image_id, name.as_deref()).await?;
            done(global, &json!({ "CompShareImageId": image_id, "Name": name }), &tr!("trash-restored", name))
        }
        TrashCommand::Empty { image_ids, older_than, dry_run } => {
            let what = EmptyTrash { ids: &image_ids, older_than_secs: older_than.unwrap_or(0), dry_run };
            let emptied = open(global).await?.empty_trash(what).await?;
            let value = json!({ "Images": emptied.images, "LogicalBytes": emptied.bytes, "DryRun": dry_run });
            let (images, size) = (emptied.images, size(emptied.bytes.div_euclid(1 << 20)));
            let text = if dry_run {
                tr!("trash-would-empty", images, size)
            } else {
                tr!("trash-emptied", images, size)
            };
            done(global, &value, &text)
        }
    }
}

fn list(global: &Global, images: &[TrashedImage]) -> Result<(), Failure> {
    if global.json {
        return print_json(&images.iter().map(to_json).collect::<Vec<_>>());
    }
    Listing::of(images)
        .column(tr!("table-image"), |image| image.id.clone())
        .column(tr!("table-name"), |image| image.name.clone())
        .column(tr!("table-account"), |image| format!("{} {}", image.account.0, image.owner_name))
        .column(tr!("table-status"), |image| image.status.as_str().to_owned())
        .column(tr!("table-size"), |image| size(image.size_bytes.div_euclid(1 << 20)))
        .column(tr!("table-deleted"), |image| time(image.deleted_at))
        .print(1, &tr!("trash-none"))
}

fn to_json(image: &TrashedImage) -> Value {
    json!({ "CompShareImageId": image.id, "Name": image.name, "AccountId": image.account.0,
            "AccountName": image.owner_name, "Status": image.status.as_str(), "Bytes": image.size_bytes,
            "CreateTime": image.create_time, "DeleteTime": image.deleted_at })
}
