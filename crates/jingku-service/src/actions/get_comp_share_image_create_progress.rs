use jingku_catalog::{ImageStatus, Progress};
use jingku_protocol::actions::{
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse,
};

use crate::context::Context;
use crate::error::Error;
use crate::gateway::Caller;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: GetCompShareImageCreateProgressRequest,
) -> Result<GetCompShareImageCreateProgressResponse, Error> {
    context.zones.resolve(&request.place)?;
    // Taken before the catalogue is read: a job that ends in between is told of as it was, not as its last heartbeat.
    let live = context.running.get(&request.image_id);
    let progress = context.catalog.image_progress(caller.own(), &request.image_id).await?;
    let mut progress = progress.ok_or_else(|| Error::ResourceNotFound(request.image_id.clone()))?;
    // The catalogue has the last heartbeat; the job itself, when it runs here, has this moment.
    let present = live.as_ref().map_or(0, |live| live.present());
    if let Some(live) = live {
        progress.done_bytes = i64::try_from(live.done()).unwrap_or(i64::MAX);
        progress.started_at = Some(live.started_at());
        progress.reported_at = Some(context.clock.now());
    }
    let mut reply = view(&progress, context.running.last_rate());
    reply.present_bytes = if progress.status == ImageStatus::Making { present } else { 0 };
    Ok(reply)
}

/// `last_rate`, in bytes a second, serves until the job has a rate of its own; without one the durations are `"0"`.
fn view(progress: &Progress, last_rate: Option<u64>) -> GetCompShareImageCreateProgressResponse {
    let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let (done, total) = (bytes(progress.done_bytes), bytes(progress.total_bytes));
    let elapsed = match (progress.started_at, progress.reported_at) {
        (Some(from), Some(to)) => bytes(to - from),
        _ => 0,
    };
    let rate = done.checked_div(elapsed).filter(|rate| *rate > 0).or(last_rate);
    let remaining = rate.map_or(0, |rate| total.saturating_sub(done).div_ceil(rate));
    let (status, process, duration, remaining) = match progress.status {
        ImageStatus::Making => ("Making", percent(done, total), elapsed + remaining, remaining),
        ImageStatus::UnAvailable => ("Failed", percent(done, total), elapsed, 0),
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => {
            ("Available", 100.0, elapsed, 0)
        }
    };
    GetCompShareImageCreateProgressResponse {
        process,
        total_duration: duration.to_string(),
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

/// Percent with one decimal; below 100 until the image is there, which is more than having read its disk.
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

    #[test]
    fn durations_follow_the_measured_rate() {
        let reply = view(&making(250, 10), None);
        assert_eq!((reply.process, reply.progress), (25.0, 25.0));
        assert_eq!((reply.total_duration.as_str(), reply.remaining_duration.as_str()), ("40", "30"));
        let reply = view(&making(0, 0), Some(100));
        assert_eq!((reply.total_duration.as_str(), reply.remaining_duration.as_str()), ("10", "10"));
        let reply = view(&making(0, 0), None);
        assert_eq!((reply.total_duration.as_str(), reply.remaining_duration.as_str()), ("0", "0"));
    }

    #[test]
    fn a_disk_read_whole_is_not_yet_an_image() {
        assert!(view(&making(1000, 10), None).process < 100.0);
        let done = Progress { status: ImageStatus::Available, ..making(1000, 10) };
        let reply = view(&done, None);
        assert_eq!((reply.process, reply.remaining_duration.as_str()), (100.0, "0"));
        let failed = Progress { status: ImageStatus::UnAvailable, ..making(500, 10) };
        assert_eq!(view(&failed, None).status, "Failed");
    }
}
