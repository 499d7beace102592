//! Reads every byte that is kept, slowly, time and again, and tells what it finds damaged.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jingku_chunks::{CheckPlan, CheckProgress, Depth, Key};
use tokio_util::sync::CancellationToken;

use super::pace::Pause;
use super::supervisor::Loop;
use crate::check::{Checked, CorruptObject};
use crate::failpoint;
use crate::library::Library;
use crate::operator::OperatorError;
use crate::scrub::Scrub;

/// How often it looks whether it is time for the next round.
const EVERY: Duration = Duration::from_mins(10);
/// How often the place is written down.
const KEEP_EVERY: Duration = Duration::from_mins(1);
/// What is read at one go at least, in bytes: where there is little, several prefixes.
const GO_BYTES: u64 = 64 << 20;

/// Reads until the server stops.
pub(super) async fn scrub(task: Loop) {
    let context = &task.context;
    if context.config.scrub.days == 0 || context.data.is_none() {
        return;
    }
    while !task.stop.is_cancelled() {
        let Some(due) = context.due_scrub() else {
            task.rest(EVERY).await;
            continue;
        };
        let read = go(context, due, &task.stop).await;
        task.note(&read);
        if read.is_err() {
            task.rest(EVERY).await;
        }
    }
}

/// Reads a prefix to its end, or several small ones, from the place it was left at.
async fn go(context: &Arc<Library>, mut scrub: Scrub, stop: &CancellationToken) -> Result<(), OperatorError> {
    let Some(first) = scrub.prefix() else { return Ok(()) };
    if first == 0 && scrub.place().is_none() {
        tracing::info!("scrub begins");
        for problem in context.catalog.check(true).await? {
            tracing::error!(problem, "scrub found the catalogue damaged");
        }
    }
    let only = |prefixes| CheckPlan { threads: Some(1), prefixes, ..CheckPlan::new(Depth::Headers) };
    let go_on = Pause::new(stop.clone());
    let Some(survey) = context.survey(only(first..=first), move |_| go_on.wait(Duration::ZERO)).await? else {
        return Ok(());
    };
    scrub.set_rate(survey.bytes, context.clock.now(), context.config.scrub.days);
    let last = first.saturating_add(more_prefixes(survey.bytes));
    let depth = scrub.place().map_or(Depth::Bytes, Depth::After);
    let pacer = Arc::new(Mutex::new(Pacer::new(context, scrub, stop)));
    let watched = Arc::clone(&pacer);
    let plan = CheckPlan { depth, ..only(first..=last) };
    let checked = context.look(plan, move |seen| lock(&watched).see(seen)).await?;
    let mut scrub = lock(&pacer).scrub.clone();
    let Some(checked) = checked else {
        // Told to stop. A chunk that was found damaged has a note, and so is read again.
        context.keep_scrub(&scrub);
        return Ok(());
    };
    tell(&mut scrub, &checked, &(first..=last));
    scrub.finish_prefix(last, context.clock.now());
    failpoint::reached("scrub.before_place");
    context.keep_scrub(&scrub);
    failpoint::reached("scrub.after_place");
    if scrub.ended_at.is_some() {
        let (chunks, bytes, damaged) = (scrub.chunks, scrub.bytes, scrub.damaged_objects);
        tracing::info!(chunks, bytes, damaged, "scrub has read everything");
    }
    Ok(())
}

/// How many prefixes are read beside one that has so many bytes.
fn more_prefixes(bytes: u64) -> u8 {
    let enough = (GO_BYTES / bytes.max(1)).max(1) - 1;
    u8::try_from(enough).unwrap_or(u8::MAX)
}

/// Logs what is damaged and whom it hits. A manifest is read with every range, and told with its own.
fn tell(scrub: &mut Scrub, checked: &Checked, range: &RangeInclusive<u8>) {
    let untold = checked.object_count - checked.objects.len() as u64;
    scrub.damaged_objects += untold;
    let is_of_range = |object: &&CorruptObject| {
        !matches!(object.key, Key::Manifest(_)) || range.contains(&object.key.prefix())
    };
    for object in checked.objects.iter().filter(is_of_range) {
        scrub.damaged_objects += 1;
        let (object, reason, images) = (object.key, &object.reason, object.images.join(" "));
        tracing::error!(%object, reason, images, "scrub found damage");
    }
    for image in &checked.corrupt {
        if scrub.add_damaged(&image.id) {
            let (image_id, name, account, trashed) = (&image.id, &image.name, image.account, image.trashed);
            tracing::error!(image_id, name, account, trashed, "an image is damaged");
        }
    }
}

/// Keeps to the rate, and notes the place now and then.
struct Pacer {
    context: Arc<Library>,
    scrub: Scrub,
    pause: Pause,
    started: Instant,
    bytes: u64,
    kept: Instant,
}

impl Pacer {
    fn new(context: &Arc<Library>, scrub: Scrub, stop: &CancellationToken) -> Self {
        let now = Instant::now();
        let (context, pause) = (Arc::clone(context), Pause::new(stop.clone()));
        Self { context, scrub, pause, started: now, bytes: 0, kept: now }
    }

    fn see(&mut self, seen: CheckProgress) -> bool {
        if seen.read_bytes > 0 {
            self.scrub.chunks += 1;
            self.scrub.bytes += seen.read_bytes;
            self.scrub.next_prefix = u16::from(seen.chunk.0[0]);
            self.scrub.after = Some(seen.chunk.to_string());
            self.bytes += seen.read_bytes;
        }
        if self.kept.elapsed() >= KEEP_EVERY {
            self.context.keep_scrub(&self.scrub);
            self.kept = Instant::now();
        }
        let due = Duration::from_millis(self.bytes.saturating_mul(1000) / self.scrub.rate.max(1));
        self.pause.wait(due.saturating_sub(self.started.elapsed()))
    }
}

/// A thread that panicked ends the whole check.
fn lock(pacer: &Mutex<Pacer>) -> std::sync::MutexGuard<'_, Pacer> {
    pacer.lock().unwrap_or_else(PoisonError::into_inner)
}
