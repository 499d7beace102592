use jingku_catalog::{Limit, LimitState, UsageSample};
use jingku_library::MeasuredImage;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImageUsageRequest,
) -> Result<api::DescribeCompShareImageUsageResponse, Error> {
    let days = request.days.and_then(|days| u32::try_from(days.0).ok()).unwrap_or(api::DEFAULT_USAGE_DAYS);
    let usage = call.library.account_usage(call.account().id, days).await?;
    let rest = usage.images.rest;
    Ok(api::DescribeCompShareImageUsageResponse {
        measure_time: usage.last.as_ref().map_or(0, |last| last.measured_at),
        current: usage.last.as_ref().map(sample).unwrap_or_default(),
        image_set: usage.images.largest.into_iter().map(image).collect(),
        other_images: api::OtherImages {
            count: usage.images.others,
            logical_bytes: rest.logical,
            stored_bytes: rest.stored,
            unique_bytes: rest.unique,
        },
        limit_set: usage.limits.iter().filter(|state| is_counted(state)).map(limit).collect(),
        sample_set: usage.samples.iter().rev().map(sample).collect(),
    })
}

fn sample(sample: &UsageSample) -> api::UsageSample {
    api::UsageSample {
        time: sample.measured_at,
        image_count: sample.images,
        logical_bytes: sample.logical_bytes,
        stored_bytes: sample.stored_bytes,
        unique_bytes: sample.unique_bytes,
        trash_bytes: sample.trash_bytes,
    }
}

fn image(image: MeasuredImage) -> api::ImageUsage {
    api::ImageUsage {
        comp_share_image_id: image.id,
        name: image.name,
        in_trash: image.trashed,
        logical_bytes: image.bytes.logical,
        stored_bytes: image.bytes.stored,
        unique_bytes: image.bytes.unique,
    }
}

/// Whether the use of a limit counts: some count only for accounts with this limit.
fn is_counted(state: &LimitState) -> bool {
    !matches!(state.limit, Limit::UniqueBytes | Limit::Transfers) || state.max < i64::MAX
}

fn limit(state: &LimitState) -> api::LimitUsage {
    let name = match state.limit {
        Limit::Images => "Images",
        Limit::Trashed => "Trashed",
        Limit::StoredBytes => "StoredBytes",
        Limit::UniqueBytes => "UniqueBytes",
        Limit::Uploads => "Uploads",
        Limit::UploadBytes => "UploadBytes",
        Limit::Jobs => "Jobs",
        Limit::Transfers => "Transfers",
    };
    api::LimitUsage {
        name: name.to_owned(),
        used: state.used,
        max: (state.max < i64::MAX).then_some(state.max),
    }
}
