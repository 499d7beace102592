//! The page that shows what an account uses, and what its limits leave.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fluent_bundle::FluentArgs;
use jingku_library::LimitState;
use jingku_protocol::actions::{
    DescribeCompShareImageUsageRequest, DescribeCompShareImageUsageResponse, ImageUsage, LimitUsage,
};

use crate::chart::Chart;
use crate::console::Caller;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::page::{Frame, image_url, render};
use crate::shown::{Time, bytes};

#[derive(Template)]
#[template(path = "usage.html")]
struct Page {
    frame: Frame,
    measured: Option<Time>,
    totals: Vec<(String, String)>,
    /// What the next sweep frees if the trash is emptied; empty for nothing.
    freed: String,
    limits: Vec<Bar>,
    /// `None` before the first measurement.
    chart: Option<Chart>,
    images: Vec<Row>,
    /// The images that are not listed.
    others: Option<Row>,
}

/// The most images in the table. The others are summed.
const ROWS_MAX: usize = 20;

/// A limit and its use.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) used: i64,
    /// 0 if there is no limit.
    pub(crate) max: i64,
    pub(crate) text: String,
    pub(crate) left: String,
    pub(crate) is_full: bool,
}

struct Row {
    name: String,
    /// Empty for an image in the trash, which has no page.
    url: String,
    in_trash: bool,
    logical: String,
    stored: String,
    unique: String,
}

pub(crate) async fn show(caller: Caller) -> Response {
    let lang = caller.visitor.lang;
    let usage = match caller.call(&DescribeCompShareImageUsageRequest::default()).await {
        Ok(usage) => usage,
        Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
    };
    let page = Page {
        frame: Frame::new(&caller, lang.t("usage-title"), "usage"),
        measured: Time::of(usage.measure_time),
        totals: totals(lang, &usage),
        freed: freed(lang, usage.current.trash_bytes),
        limits: usage.limit_set.iter().map(|limit| Bar::of(lang, limit)).collect(),
        chart: Chart::of(lang, &usage.sample_set),
        others: others(lang, &usage),
        images: usage.image_set.into_iter().take(ROWS_MAX).map(Row::from).collect(),
    };
    render(StatusCode::OK, &page)
}

fn totals(lang: Lang, usage: &DescribeCompShareImageUsageResponse) -> Vec<(String, String)> {
    let current = &usage.current;
    [
        ("usage-logical", current.logical_bytes),
        ("usage-stored", current.stored_bytes),
        ("usage-unique", current.unique_bytes),
        ("usage-trash", current.trash_bytes),
    ]
    .map(|(id, size)| (lang.t(id), size_text(size)))
    .into()
}

fn freed(lang: Lang, trash_bytes: i64) -> String {
    if trash_bytes > 0 { lang.with("usage-freed", "size", size_text(trash_bytes)) } else { String::new() }
}

fn others(lang: Lang, usage: &DescribeCompShareImageUsageResponse) -> Option<Row> {
    let others = &usage.other_images;
    let more = || usage.image_set.iter().skip(ROWS_MAX);
    let sum = |of: fn(&ImageUsage) -> u64, rest: u64| bytes(more().map(of).fold(rest, u64::saturating_add));
    let count = others.count + more().count() as u64;
    (count > 0).then(|| Row {
        name: lang.with("usage-others", "count", count),
        url: String::new(),
        in_trash: false,
        logical: sum(|image| image.logical_bytes, others.logical_bytes),
        stored: sum(|image| image.stored_bytes, others.stored_bytes),
        unique: sum(|image| image.unique_bytes, others.unique_bytes),
    })
}

impl Bar {
    /// The bar of a limit as the library has it.
    pub(crate) fn of_state(lang: Lang, state: &LimitState) -> Self {
        let (name, max) = (format!("{:?}", state.limit), Some(state.max).filter(|max| *max != i64::MAX));
        Self::of(lang, &LimitUsage { name, used: state.used, max })
    }

    pub(crate) fn of(lang: Lang, limit: &LimitUsage) -> Self {
        let (id, is_size) = match limit.name.as_str() {
            "Images" => ("limit-images", false),
            "Trashed" => ("limit-trashed", false),
            "StoredBytes" => ("limit-stored", true),
            "UniqueBytes" => ("limit-unique", true),
            "Uploads" => ("limit-uploads", false),
            "UploadBytes" => ("limit-upload-bytes", true),
            "Jobs" => ("limit-jobs", false),
            _ => ("limit-transfers", false),
        };
        let shown = |value: i64| if is_size { size_text(value) } else { value.to_string() };
        let used = limit.used;
        let (text, left) = match limit.max {
            Some(max) => {
                let args = FluentArgs::from_iter([("used", shown(used)), ("max", shown(max))]);
                let left = shown(max.saturating_sub(used).max(0));
                (lang.format("limit-used-of", &args), lang.with("limit-left", "left", left))
            }
            None => (lang.with("limit-used", "used", shown(used)), String::new()),
        };
        let max = limit.max.unwrap_or(0);
        let is_full = limit.max.is_some_and(|max| used >= max);
        Self { name: lang.t(id), used, max, text, left, is_full }
    }
}

impl From<ImageUsage> for Row {
    fn from(image: ImageUsage) -> Self {
        Self {
            name: image.name,
            url: if image.in_trash { String::new() } else { image_url(&image.comp_share_image_id) },
            in_trash: image.in_trash,
            logical: bytes(image.logical_bytes),
            stored: bytes(image.stored_bytes),
            unique: bytes(image.unique_bytes),
        }
    }
}

fn size_text(size: i64) -> String {
    bytes(u64::try_from(size).unwrap_or(0))
}
