//! `jingku check`: verifies image integrity, with or without a server running on the data directory.

mod status;

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use jingku_library::{CheckProgress, Checked, CorruptObject, Corruption, Depth, ManifestUse};
use serde_json::{Value, json};

use crate::args::{CheckArgs, Global};
use crate::failure::{Exit, Failure};
use crate::library::open;
use crate::messages::tr;
use crate::output::{Listing, bytes, note, print, print_json};

/// The most objects shown to people one by one; JSON contains all that are known.
const OBJECTS_SHOWN: usize = 20;

pub(crate) use status::summary;

pub(crate) async fn run(global: &Global, args: CheckArgs) -> Result<(), Failure> {
    if args.status {
        return status::run(global).await;
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
        // Threads report different positions.
        shown.set_position(seen.per_mille().max(shown.position()));
        let millis = u64::try_from(shown.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        shown.set_message(format!("{} MB/s", read / 1000 / millis));
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
    if checked.is_clean() {
        return Ok(());
    }
    let damaged = match checked.database.as_slice() {
        [] => tr!("check-images-damaged", count = checked.corrupt.len()),
        _ => tr!("check-catalog-damaged"),
    };
    Err(Failure::new(Exit::Fault, damaged))
}

/// Drawn on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let template = format!("{{bar:32}} {{percent:>3}}%  {{msg}}  {}", tr!("check-bar-left", time = "{eta}"));
    let style = ProgressStyle::with_template(&template).expect("the template is right");
    ProgressBar::new(1000).with_style(style)
}

fn show(checked: &Checked) -> Result<(), Failure> {
    let Checked { images, manifests, report, .. } = checked;
    let (chunks, read_chunks, spare) = (report.chunks, report.read_chunks, report.unreferenced_findings);
    let size = bytes(report.read_bytes);
    print(&tr!("check-summary", images, manifests, chunks, read_chunks, size))?;
    if spare > 0 {
        note(&tr!("check-spare", count = spare));
    }
    if checked.is_clean() {
        return print(&tr!("check-clean"));
    }
    for line in &checked.database {
        print(&tr!("check-catalog", problem = line))?;
    }
    Listing::of(&checked.corrupt)
        .column(tr!("table-image"), |(image, _)| image.image_id.clone())
        .column(tr!("table-name"), |(image, _)| image.name.clone())
        .column(tr!("table-account"), |(image, _)| image.account.0.to_string())
        .column(String::new(), |(image, _)| if image.trashed { tr!("check-trashed") } else { String::new() })
        .column(tr!("table-damage"), |(_, corruption)| why(corruption))
        .print(4, "")?;
    for object in checked.objects.iter().take(OBJECTS_SHOWN) {
        let CorruptObject { key, reason, images } = object;
        print(&tr!("check-object", object = key.to_string(), reason, images = images.join(", ")))?;
    }
    let more = checked.object_count.saturating_sub(OBJECTS_SHOWN as u64);
    if more > 0 {
        print(&tr!("check-more-objects", count = more))?;
    }
    Ok(())
}

fn why(corruption: &Corruption) -> String {
    match corruption {
        Corruption::Bits => tr!("check-data-damaged"),
        Corruption::NoManifest => tr!("check-no-manifest"),
        Corruption::BadName(text) => tr!("check-bad-manifest-name", name = format!("{text:?}")),
        Corruption::Size { row, manifest } => {
            tr!("check-size-differs", row = row.to_string(), manifest = manifest.to_string())
        }
    }
}

fn to_json(checked: &Checked) -> Value {
    let image = |(image, corruption): &(ManifestUse, Corruption)| {
        json!({ "CompShareImageId": image.image_id, "Name": image.name, "AccountId": image.account.0,
                "InTrash": image.trashed, "Damage": why(corruption) })
    };
    let object = |object: &CorruptObject| json!({ "Object": object.key.to_string(), "Damage": object.reason, "Images": object.images });
    json!({ "Clean": checked.is_clean(), "Images": checked.images, "Manifests": checked.manifests,
            "Chunks": checked.report.chunks, "ReadChunks": checked.report.read_chunks, "ReadBytes": checked.report.read_bytes,
            "DamagedImages": checked.corrupt.iter().map(image).collect::<Vec<_>>(),
            "DamagedObjects": checked.objects.iter().map(object).collect::<Vec<_>>(),
            "DamagedObjectCount": checked.object_count, "DamagedSpareObjects": checked.report.unreferenced_findings,
            "Catalog": checked.database })
}
