//! Progress of the background scrub, and the last sweep.

use jingku_library::{DataDir, LibraryError, Scrub};
use serde_json::json;

use crate::args::Global;
use crate::connection::data_dir;
use crate::failure::Failure;
use crate::library::{open, open_data_dir};
use crate::messages::tr;
use crate::output::{bytes, date, print, print_fields, print_json, time};

pub(super) async fn run(global: &Global) -> Result<(), Failure> {
    let data = open_data_dir(global)?;
    let (scrub, sweep) = if data.has_database() {
        let library = open(global).await?;
        let failed = |error| Failure::from(LibraryError::from(error));
        (library.scrub().await.map_err(failed)?, library.last_sweep().await.map_err(failed)?)
    } else {
        (data.scrub_status()?, data.last_sweep())
    };
    if global.json {
        let scrub = scrub.map(|scrub| {
            json!({ "StartedAt": scrub.started_at, "EndedAt": scrub.ended_at, "Percent": scrub.percent(),
                    "PreviousEndedAt": scrub.previous_ended_at, "Chunks": scrub.chunks, "Bytes": scrub.bytes,
                    "BytesPerSecond": scrub.rate, "DamagedObjects": scrub.damaged_objects,
                    "DamagedImages": scrub.damaged_images })
        });
        let sweep = sweep
            .map(|sweep| json!({ "EndedAt": sweep.ended_at, "Files": sweep.files, "Bytes": sweep.bytes }));
        return print_json(&json!({ "Scrub": scrub, "Sweep": sweep }));
    }
    let none = || vec![(tr!("check-scrub"), tr!("check-scrub-none"))];
    let mut fields = scrub.as_ref().map_or_else(none, scrub_fields);
    if let Some(sweep) = sweep {
        let (time, files, size) = (time(sweep.ended_at), sweep.files, bytes(sweep.bytes));
        fields.push((tr!("check-last-sweep"), tr!("check-last-sweep-removed", time, files, size)));
    }
    print_fields(fields)?;
    if scrub.is_some_and(|scrub| scrub.has_found_damage()) { print(&tr!("check-run-it")) } else { Ok(()) }
}

fn scrub_fields(scrub: &Scrub) -> Vec<(String, String)> {
    let start = time(scrub.started_at);
    let state = if let Some(ended) = scrub.ended_at {
        tr!("check-scrub-ended", start, end = time(ended))
    } else {
        tr!("check-scrub-percent", percent = scrub.percent(), start, rate = bytes(scrub.rate))
    };
    let damage = if scrub.has_found_damage() {
        tr!("check-found-some", objects = scrub.damaged_objects, images = scrub.damaged_images.join(" "))
    } else {
        tr!("check-found-none")
    };
    vec![
        (tr!("check-scrub"), state),
        (tr!("check-read"), tr!("check-read-amount", chunks = scrub.chunks, size = bytes(scrub.bytes))),
        (tr!("check-found"), damage),
        (tr!("check-previous"), time(scrub.previous_ended_at.unwrap_or(0))),
    ]
}

/// The same in a few words, for the overview.
pub(crate) fn summary(global: &Global) -> String {
    // The overview creates nothing and ignores errors.
    let folder = data_dir(global).ok().filter(|path| path.is_dir());
    let scrub = folder.and_then(|path| DataDir::open(&path).ok()?.scrub());
    match scrub {
        None => tr!("overview-check"),
        Some(scrub) if scrub.has_found_damage() => tr!("overview-check-damage"),
        Some(Scrub { ended_at: Some(ended), .. }) => tr!("overview-check-ended", day = date(ended)),
        Some(scrub) => tr!("overview-check-percent", percent = scrub.percent()),
    }
}
