//! Reads all stored data slowly and repeatedly, and reports corruption.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jingku_chunks::{CheckPlan, CheckProgress, Depth, Key};
use tokio::runtime::Handle;

use super::pace::pause;
use super::supervisor::Loop;
use crate::check::{Checked, CorruptObject};
use crate::cluster::Turn;
use crate::error::LibraryError;
use crate::failpoint;
use crate::library::Library;
use crate::lock::lock;
use crate::scrub::{SCRUB, Scrub};

/// How often to check whether the next round is due.
const EVERY: Duration = Duration::from_mins(10);
/// How often the progress is saved.
const KEEP_EVERY: Duration = Duration::from_mins(1);
/// Minimum of one batch, in bytes. Small prefixes are combined.
const GO_BYTES: u64 = 64 << 20;

/// The most corrupted images that one batch reads into memory.
const IMAGES_LISTED_MAX: usize = 1000;

pub(super) async fn scrub(task: Loop) {
    let library = &task.library;
    if library.config.scrub.days == 0 || library.data.is_none() {
        return;
    }
    while !task.stop.is_cancelled() {
        let read = task
            .alone(SCRUB, |turn| async move {
                let Some(due) = library.due_scrub().await? else { return Ok(false) };
                read_batch(library, due, &turn).await.map(|()| true)
            })
            .await;
        let has_read = matches!(read, Ok(Some(true)));
        task.note(&read.map(drop));
        if !has_read {
            task.rest(EVERY).await;
        }
    }
}

/// Reads one prefix from its saved position to its end, or several small prefixes.
async fn read_batch(library: &Arc<Library>, mut scrub: Scrub, turn: &Turn) -> Result<(), LibraryError> {
    let Some(first) = scrub.prefix() else { return Ok(()) };
    if first == 0 && scrub.position().is_none() {
        tracing::info!("scrub starts");
        for problem in library.catalog.check(true).await? {
            tracing::error!(problem, "scrub found the catalogue damaged");
        }
    }
    let only = |prefixes| CheckPlan { threads: Some(1), prefixes, ..CheckPlan::new(Depth::Headers) };
    let stopping = turn.stop.clone();
    let survey = library.check_store(Arc::default(), only(first..=first), move |_| !stopping.is_cancelled());
    let Some(survey) = survey.await? else { return Ok(()) };
    scrub.set_rate(survey.bytes, library.clock.now(), library.config.scrub.days);
    let last = first.saturating_add(more_prefixes(survey.bytes));
    let depth = scrub.position().map_or(Depth::Bytes, Depth::After);
    let now = Instant::now();
    let (library, turn, runtime) = (Arc::clone(library), turn.clone(), Handle::current());
    let lease = turn.lease;
    let pacer =
        Pacer { library: Arc::clone(&library), scrub, turn, runtime, started: now, bytes: 0, kept: now };
    let pacer = Arc::new(Mutex::new(pacer));
    let watched = Arc::clone(&pacer);
    let plan = CheckPlan { depth, ..only(first..=last) };
    let checked =
        library.check_images(plan, IMAGES_LISTED_MAX, move |seen| lock(&watched).advance(seen)).await?;
    let mut scrub = lock(&pacer).scrub.clone();
    let Some(checked) = checked else {
        // The server stops. A corrupted chunk has a mark and is read again.
        library.keep_scrub(&scrub, lease).await;
        return Ok(());
    };
    report(&mut scrub, &checked, &(first..=last));
    scrub.finish_prefix(last, library.clock.now());
    failpoint::reached("scrub.before_place");
    library.keep_scrub(&scrub, lease).await;
    failpoint::reached("scrub.after_place");
    if scrub.ended_at.is_some() {
        let (chunks, bytes, damaged) = (scrub.chunks, scrub.bytes, scrub.damaged_objects);
        tracing::info!(chunks, bytes, damaged, "scrub has read everything");
    }
    Ok(())
}

/// How many further prefixes of this size fit into a batch.
fn more_prefixes(bytes: u64) -> u8 {
    let enough = (GO_BYTES / bytes.max(1)).max(1) - 1;
    u8::try_from(enough).unwrap_or(u8::MAX)
}

/// Logs corrupted objects and images. Manifests are checked with every range; each is reported with its own.
fn report(scrub: &mut Scrub, checked: &Checked, range: &RangeInclusive<u8>) {
    scrub.damaged_objects += checked.object_count - checked.objects.len() as u64;
    let is_of_range = |object: &&CorruptObject| {
        !matches!(object.key, Key::Manifest(_)) || range.contains(&object.key.prefix())
    };
    for object in checked.objects.iter().filter(is_of_range) {
        scrub.damaged_objects += 1;
        let (object, reason, images) = (object.key, &object.reason, object.images.join(" "));
        tracing::error!(%object, reason, images, "scrub found damage");
    }
    for (image, _) in &checked.corrupt {
        if scrub.add_damaged(&image.image_id) {
            let (image_id, name, account, trashed) =
                (&image.image_id, &image.name, image.account.0, image.trashed);
            tracing::error!(image_id, name, account, trashed, "an image is corrupted");
            if scrub.is_list_full() {
                tracing::error!("the scrub lists no more images; jingku check lists all that are corrupted");
            }
        }
    }
}

/// Keeps the rate and saves the progress.
struct Pacer {
    library: Arc<Library>,
    scrub: Scrub,
    turn: Turn,
    runtime: Handle,
    started: Instant,
    bytes: u64,
    kept: Instant,
}

impl Pacer {
    fn advance(&mut self, seen: CheckProgress) -> bool {
        if seen.read_bytes > 0 {
            self.scrub.chunks += 1;
            self.scrub.bytes += seen.read_bytes;
            self.scrub.next_prefix = u16::from(seen.chunk.0[0]);
            self.scrub.after = Some(seen.chunk.to_string());
            self.bytes += seen.read_bytes;
        }
        if self.kept.elapsed() >= KEEP_EVERY {
            self.runtime.block_on(self.library.keep_scrub(&self.scrub, self.turn.lease));
            self.kept = Instant::now();
        }
        let due = Duration::from_millis(self.bytes.saturating_mul(1000) / self.scrub.rate.max(1));
        pause(&self.turn.stop, due.saturating_sub(self.started.elapsed()))
    }
}
