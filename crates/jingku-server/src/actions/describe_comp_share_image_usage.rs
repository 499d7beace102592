use jingku_catalog::{Limit, LimitState, UsageSample, WeighedImage};
use jingku_library::{MeasuredBytes, MeasuredImage};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareImageUsageRequest,
) -> Result<api::DescribeCompShareImageUsageResponse, Error> {
    let days = request.days.and_then(|days| u32::try_from(days.0).ok()).unwrap_or(api::DEFAULT_USAGE_DAYS);
    let account = call.account().id;
    let asked = match request.image_id {
        Some(id) => {
            let image = call.library.catalog.weighed_image(account, &id).await?;
            Some(image.ok_or(Error::ResourceNotFound(id.into()))?)
        }
        None => None,
    };
    let usage = call.library.account_usage(account, days).await?;
    let (images, others, rest) = if let Some(image) = asked {
        (weighed(image).into_iter().collect(), 0, MeasuredBytes::default())
    } else {
        let images = usage.images;
        (images.largest.into_iter().map(image).collect(), images.others, images.rest)
    };
    Ok(api::DescribeCompShareImageUsageResponse {
        measure_time: usage.last.as_ref().map_or(0, |last| last.measured_at),
        current: usage.last.as_ref().map(sample).unwrap_or_default(),
        image_set: images,
        other_images: api::OtherImages {
            count: others,
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

/// The use of an image, if it was measured.
fn weighed(image: WeighedImage) -> Option<api::ImageUsage> {
    let unsigned = |bytes| u64::try_from(bytes).unwrap_or(0);
    Some(api::ImageUsage {
        comp_share_image_id: image.image_id,
        name: image.name,
        in_trash: image.trashed,
        logical_bytes: unsigned(image.logical_bytes),
        stored_bytes: unsigned(image.stored_bytes?),
        unique_bytes: unsigned(image.unique_bytes?),
    })
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
