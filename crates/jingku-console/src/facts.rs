//! What is known of an image.

use fluent_bundle::FluentArgs;
use jingku_protocol::Image;
use jingku_protocol::actions::{DescribeCompShareImageUsageRequest, ImageUsage};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::lang::Lang;
use crate::shown::{Time, bytes, megabytes};

/// How the caller sees an image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Own,
    Shared,
    Community,
    Platform,
}

/// What is known of an image, without what is not.
pub(crate) fn facts(lang: Lang, origin: Origin, image: &Image) -> Vec<(String, String)> {
    let kind = if image.container == "True" { "kind-container" } else { "kind-disk" };
    let origin = match origin {
        Origin::Own => "origin-own",
        Origin::Shared => "origin-shared",
        Origin::Community => "origin-community",
        Origin::Platform => "origin-platform",
    };
    let owner = &image.owner;
    let owner = if owner.account_name.is_empty() {
        String::new()
    } else {
        format!("{} ({})", owner.account_name, owner.account_id)
    };
    let softwares = image.softwares.as_ref().map(|softwares| {
        let (framework, cuda) =
            (format!("{} {}", softwares.framework, softwares.framework_version), &softwares.cuda_version);
        let cuda = if cuda.is_empty() { String::new() } else { format!("CUDA {cuda}") };
        let parts = [framework.trim().to_owned(), cuda, softwares.os_version.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    });
    let left_out = image.left_out.as_ref().filter(|left_out| left_out.count > 0).map(|left_out| {
        let args =
            FluentArgs::from_iter([("count", left_out.count.to_string()), ("size", bytes(left_out.bytes))]);
        lang.format("fact-left-out-value", &args)
    });
    let facts = [
        ("fact-kind", lang.t(kind)),
        ("fact-size", megabytes(image.size)),
        ("fact-origin", lang.t(origin)),
        ("fact-owner", owner),
        ("fact-zone", image.zone.clone()),
        ("fact-gpu", image.source_gpu_type.clone()),
        ("fact-version", image.version_name.clone()),
        ("fact-softwares", softwares.unwrap_or_default()),
        ("fact-left-out", left_out.unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(id, value)| (lang.t(id), value)).collect()
}

pub(crate) fn times(lang: Lang, image: &Image) -> Vec<(String, Time)> {
    let times = [
        ("fact-created", image.create_time),
        ("fact-updated", image.update_time),
        ("fact-published", image.pub_time),
    ];
    times.into_iter().filter_map(|(id, time)| Some((lang.t(id), Time::of(time)?))).collect()
}

/// What an image of the caller weighs beside its size, as it was measured last.
pub(crate) async fn weight(caller: &Caller, image: &Image) -> Result<Vec<(String, String)>, Refusal> {
    let lang = caller.visitor.lang;
    let id = image.comp_share_image_id.as_str();
    let request = DescribeCompShareImageUsageRequest { days: Some(1.into()), image_id: Some(id.into()) };
    let usage = caller.call(&request).await?;
    let Some(ImageUsage { stored_bytes, unique_bytes, .. }) = usage.image_set.first() else {
        return Ok(vec![(lang.t("fact-stored"), lang.t("weight-unknown"))]);
    };
    let weight = [("fact-stored", stored_bytes), ("fact-unique", unique_bytes)];
    Ok(weight.map(|(id, size)| (lang.t(id), bytes(*size))).into())
}
