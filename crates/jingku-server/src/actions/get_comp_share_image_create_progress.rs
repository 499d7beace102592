use jingku_catalog::{ImageStatus, Progress};
use jingku_library::lock;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Making an image takes "about 15 minutes for 100 GB" according to the public FAQ of the real service. An image of unknown
/// size is assumed to have 100 GB.
const ASSUMED_SECS: u64 = 15 * 60;
const ASSUMED_BYTES: u64 = 100 << 30;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareImageCreateProgressRequest,
) -> Result<api::GetCompShareImageCreateProgressResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    // Before the catalogue: a job that ends in between is reported with its own progress, not its last heartbeat.
    let live = call.library.running.get(&request.image_id);
    let progress = call.library.catalog.image_progress(call.own(), &request.image_id).await?;
    let mut progress = progress.ok_or_else(|| Error::ResourceNotFound(request.image_id.to_string()))?;
    // A job on this server is more current than its last heartbeat in the catalogue.
    let present = live.as_ref().map_or(0, |live| lock(&live.bytes).present);
    if let Some(live) = live {
        let (done, total) = {
            let bytes = lock(&live.bytes);
            (bytes.done, bytes.total)
        };
        progress.done_bytes = i64::try_from(done).unwrap_or(i64::MAX);
        if total > 0 {
            progress.total_bytes = i64::try_from(total).unwrap_or(i64::MAX);
        }
        progress.started_at = Some(live.started_at);
        progress.reported_at = Some(call.library.clock.now());
    }
    let mut reply = view(&progress);
    reply.present_bytes = if progress.status == ImageStatus::Making { present } else { 0 };
    Ok(reply)
}

fn view(progress: &Progress) -> api::GetCompShareImageCreateProgressResponse {
    let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let (done, total) = (bytes(progress.done_bytes), bytes(progress.total_bytes));
    let elapsed = match (progress.started_at, progress.reported_at) {
        (Some(from), Some(to)) => bytes(to - from),
        _ => 0,
    };
    let (status, process, remaining) = match progress.status {
        ImageStatus::Making => ("Making", percent(done, total), remaining_secs(done, total, elapsed)),
        ImageStatus::UnAvailable => ("Failed", percent(done, total), 0),
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => ("Available", 100.0, 0),
    };
    api::GetCompShareImageCreateProgressResponse {
        process,
        total_duration: elapsed.saturating_add(remaining).to_string(),
        remaining_duration: remaining.to_string(),
        status: status.to_owned(),
        progress: process,
        failed_reason: progress.failed_reason.clone(),
        processed_bytes: if status == "Available" { total } else { done },
        total_bytes: total,
        present_bytes: 0,
        warnings: Some(progress.caution.clone()).filter(|text| !text.is_empty()).into_iter().collect(),
    }
}

/// Estimates the remaining seconds from the rate so far. Never 0: clients would stop waiting.
///
/// Before a rate is measured, uses the rate of the real service. Rates of other jobs are not used: they would disclose
/// something about other accounts' disks.
fn remaining_secs(done: u64, total: u64, elapsed: u64) -> u64 {
    let total = if total == 0 { ASSUMED_BYTES } else { total };
    // Below one byte per second the job is paused or waits for its disk.
    let measured = elapsed > 0 && done >= elapsed;
    let (bytes, secs) = if measured { (done, elapsed) } else { (ASSUMED_BYTES, ASSUMED_SECS) };
    let left = u128::from(total.saturating_sub(done)) * u128::from(secs);
    u64::try_from(left.div_ceil(u128::from(bytes))).unwrap_or(u64::MAX).max(1)
}

/// Percent with one decimal. Below 100 until the image is available, even if its disk was read completely.
fn percent(done: u64, total: u64) -> f64 {
    let per_mille = u128::from(done) * 1000 / u128::from(total.max(1));
    f64::from(u32::try_from(per_mille.min(999)).unwrap_or(999)) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn making(done_bytes: i64, seconds: i64) -> Progress {
        Progress {
            status: ImageStatus::Making,
            done_bytes,
            total_bytes: 1000,
            started_at: Some(100),
            reported_at: Some(100 + seconds),
            failed_reason: String::new(),
            caution: String::new(),
        }
    }

    fn durations(progress: &Progress) -> (u64, u64) {
        let reply = view(progress);
        (reply.total_duration.parse().unwrap(), reply.remaining_duration.parse().unwrap())
    }

    #[test]
    fn durations_follow_the_measured_rate() {
        let reply = view(&making(250, 10));
        assert_eq!((reply.process, reply.progress), (25.0, 25.0));
        assert_eq!(durations(&making(250, 10)), (40, 30));
        // Rounded up.
        assert_eq!(durations(&making(996, 100)), (101, 1));
    }

    #[test]
    fn remaining_time_is_never_zero_while_making() {
        let disk = |total_bytes, done_bytes| Progress { total_bytes, ..making(done_bytes, 0) };
        let waiting = Progress { started_at: None, reported_at: None, ..disk(100 << 30, 0) };
        for (progress, remaining) in [
            (waiting.clone(), 900),
            // A file of unknown size, before and after its first bytes.
            (Progress { total_bytes: 0, ..waiting.clone() }, 900),
            (Progress { total_bytes: 0, done_bytes: 50 << 30, ..waiting.clone() }, 450),
            (Progress { total_bytes: 0, done_bytes: 200 << 30, ..waiting }, 1),
            // In the first second, and when the clock went back.
            (disk(200 << 30, 0), 1800),
            (making(500, -100), 1),
            // No progress for long: paused, or waiting for the disk.
            (making(0, 1000), 1),
            (Progress { total_bytes: 10 << 30, ..making(1, 1_000_000) }, 90),
            // Read completely, being made durable.
            (making(1000, 10), 1),
            (making(2000, 10), 1),
        ] {
            let (total, left) = durations(&progress);
            assert_eq!(left, remaining, "{progress:?}");
            assert!(total >= left, "{progress:?}");
            assert!(view(&progress).process < 100.0, "{progress:?}");
        }
    }

    #[test]
    fn progress_is_below_100_until_available() {
        assert!(view(&making(1000, 10)).process < 100.0);
        let done = Progress { status: ImageStatus::Available, ..making(1000, 10) };
        let reply = view(&done);
        assert_eq!((reply.process, reply.remaining_duration.as_str()), (100.0, "0"));
        let failed = Progress { status: ImageStatus::UnAvailable, ..making(500, 10) };
        assert_eq!((view(&failed).status.as_str(), durations(&failed)), ("Failed", (10, 0)));
    }
}
