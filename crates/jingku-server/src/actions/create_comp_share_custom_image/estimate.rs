//! The estimate of an image. Changes nothing.

use std::sync::Arc;

use jingku_catalog::{Instance, Limit, LimitState, OverLimit};
use jingku_library::{Estimate, EstimateError, SaveOptions};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::instance::check_here;

/// Estimates the image after the checks that a real call would fail too. That it does not fit is a warning.
pub(super) async fn run(
    call: &Call<'_>,
    instance: Instance,
    name: &str,
    options: SaveOptions,
    mut warnings: Vec<String>,
) -> Result<api::CreateCompShareCustomImageResponse, Error> {
    let instance_id = instance.id.clone();
    if instance.image_in_making.is_some() {
        return Err(Error::InstanceMakingImage(instance_id));
    }
    if call.library.catalog.name_holder(call.own(), name).await?.is_some() {
        return call.name_taken("Name", name).await;
    }
    check_here(call, &instance)?;
    let account = call.account().id;
    let slot = call.context.limits.estimates.take(account)?;
    let library = Arc::clone(&call.context.library);
    // A task of its own: the slot is taken until the reading ends, even if the client has gone.
    let estimating = tokio::spawn(async move {
        let _slot = slot;
        library.estimate(account, instance, options).await
    });
    let estimate = estimating.await?.map_err(|error| match error {
        EstimateError::NotReadable(reason) => Error::DiskNotReadable(instance_id.clone(), reason),
        EstimateError::Inside(error) => error.into(),
    })?;
    let obstacles = obstacles(call, &instance_id, estimate).await?;
    let Estimate { size_bytes, sampled_bytes, new_bytes, seconds } = estimate;
    let fits = obstacles.is_empty();
    warnings.extend(obstacles.iter().map(Error::to_string));
    let estimate = api::ImageEstimate { size_bytes, sampled_bytes, new_bytes, seconds, fits };
    Ok(api::CreateCompShareCustomImageResponse {
        comp_share_image_id: String::new(),
        warnings,
        estimate: Some(estimate),
    })
}

/// Why the image may not fit.
async fn obstacles(call: &Call<'_>, instance_id: &str, estimate: Estimate) -> Result<Vec<Error>, Error> {
    let states = call.library.catalog.account_limits(call.account().id).await?;
    let over = states.into_iter().filter_map(|LimitState { limit, used, max, .. }| {
        let more = match limit {
            Limit::Images | Limit::Trashed | Limit::Jobs => 1,
            Limit::StoredBytes => i64::try_from(estimate.size_bytes).unwrap_or(i64::MAX),
            // Used as it was measured last.
            Limit::UniqueBytes => i64::try_from(estimate.new_bytes).unwrap_or(i64::MAX),
            Limit::Uploads | Limit::UploadBytes | Limit::Transfers => return None,
        };
        let is_over = used.saturating_add(more) > max;
        is_over.then_some(Error::OverLimit(OverLimit { limit, used, more, max }))
    });
    let mut obstacles: Vec<Error> = over.collect();
    if call.free_image_bytes().await?.is_some_and(|free| estimate.new_bytes > free) {
        let instance = instance_id.to_owned();
        obstacles.push(Error::StoreFull { instance, needed_bytes: estimate.new_bytes });
    }
    Ok(obstacles)
}
