//! `jingku usage`: the storage used by images, on the data directory, with or without a server running on it.

use jingku_library::{ImageUsage, Usage, UsageTotal};
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::Failure;
use crate::library::open;
use crate::messages::tr;
use crate::output::{Listing, bytes, note, print, print_json};

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let context = open(global).await?;
    let usage = context.usage().await?;
    if global.json {
        return print_json(&to_json(&usage));
    }
    let state = |usage: &ImageUsage| match (usage.damaged, usage.image.trashed) {
        (true, _) => tr!("usage-damaged"),
        (false, true) => tr!("usage-trashed"),
        (false, false) => String::new(),
    };
    Listing::of(&usage.images)
        .column(tr!("table-image"), |usage| usage.image.image_id.clone())
        .column(tr!("table-name"), |usage| usage.image.name.clone())
        .column(tr!("table-account"), |usage| usage.image.account.0.to_string())
        .column(tr!("table-logical"), |usage| bytes(usage.logical_bytes))
        .column(tr!("table-stored"), |usage| bytes(usage.stored_bytes))
        .column(tr!("table-unique"), |usage| bytes(usage.unique_bytes))
        .column(String::new(), state)
        .print(1, &tr!("usage-none"))?;
    print("")?;
    let totals = [
        (tr!("usage-images"), &usage.live),
        (tr!("usage-trash"), &usage.trash),
        (tr!("usage-garbage"), &usage.garbage),
    ];
    Listing::of(&totals)
        .column(tr!("table-total"), |(name, _)| name.clone())
        .column(tr!("table-images"), |(_, total)| total.images.to_string())
        .column(tr!("table-logical"), |(_, total)| bytes(total.logical_bytes))
        .column(tr!("table-objects"), |(_, total)| total.objects.to_string())
        .column(tr!("table-stored"), |(_, total)| bytes(total.stored_bytes))
        .print(0, "")?;
    let damaged = usage.images.iter().filter(|image| image.damaged).count();
    if usage.missing_chunks > 0 || damaged > 0 {
        note(&tr!("usage-missing", chunks = usage.missing_chunks, images = damaged));
    }
    Ok(())
}

fn to_json(usage: &Usage) -> Value {
    let total = |total: &UsageTotal| {
        json!({ "Images": total.images, "LogicalBytes": total.logical_bytes, "Objects": total.objects,
                "StoredBytes": total.stored_bytes })
    };
    let image = |ImageUsage { image, logical_bytes, stored_bytes, unique_bytes, damaged }: &ImageUsage| {
        json!({ "CompShareImageId": image.image_id, "Name": image.name, "AccountId": image.account.0,
                "InTrash": image.trashed, "LogicalBytes": logical_bytes,
                "StoredBytes": stored_bytes, "UniqueBytes": unique_bytes, "Damaged": damaged })
    };
    json!({ "Images": usage.images.iter().map(image).collect::<Vec<_>>(), "Live": total(&usage.live),
            "Trash": total(&usage.trash), "Garbage": total(&usage.garbage), "MissingChunks": usage.missing_chunks })
}
