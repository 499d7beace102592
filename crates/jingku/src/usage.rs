//! `jingku usage`: the storage used by images, on the data directory, with or without a server running on it.

use jingku_library::{ImageUsage, Usage, UsageTotal};
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::Failure;
use crate::library::{open, open_data_dir};
use crate::messages::tr;
use crate::output::{bytes, note, print, print_json, print_table};

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let context = open(global).await?;
    let usage = context.usage(&open_data_dir(global)?).await?;
    if global.json {
        return print_json(&to_json(&usage));
    }
    let headings = [
        tr!("table-image"),
        tr!("table-name"),
        tr!("table-account"),
        tr!("table-logical"),
        tr!("table-stored"),
        tr!("table-unique"),
        String::new(),
    ];
    let rows = usage.images.iter().map(row).collect();
    print_table(&headings, rows, 1, || tr!("usage-none"))?;
    print("")?;
    let headings = [
        tr!("table-total"),
        tr!("table-images"),
        tr!("table-logical"),
        tr!("table-objects"),
        tr!("table-stored"),
    ];
    let total = |name: String, total: &UsageTotal| {
        let (images, objects) = (total.images.to_string(), total.objects.to_string());
        vec![name, images, bytes(total.logical_bytes), objects, bytes(total.stored_bytes)]
    };
    let rows = vec![
        total(tr!("usage-images"), &usage.live),
        total(tr!("usage-trash"), &usage.trash),
        total(tr!("usage-garbage"), &usage.garbage),
    ];
    print_table(&headings, rows, 0, String::new)?;
    let damaged = usage.images.iter().filter(|image| image.damaged).count();
    if usage.missing_chunks > 0 || damaged > 0 {
        let missing = usage.missing_chunks;
        note(&tr!("usage-missing", chunks = missing, images = damaged));
    }
    Ok(())
}

fn row(usage: &ImageUsage) -> Vec<String> {
    let state = match (usage.damaged, usage.image.trashed) {
        (true, _) => tr!("usage-damaged"),
        (false, true) => tr!("usage-trashed"),
        (false, false) => String::new(),
    };
    vec![
        usage.image.image_id.clone(),
        usage.image.name.clone(),
        usage.image.account.0.to_string(),
        bytes(usage.logical_bytes),
        bytes(usage.stored_bytes),
        bytes(usage.unique_bytes),
        state,
    ]
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
