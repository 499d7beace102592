//! How far images are, shown while they are made.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fluent_bundle::FluentArgs;
use jingku_protocol::actions::{
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse,
};
use jingku_protocol::{Image, ImageStatus};

use crate::console::Caller;
use crate::lang::Lang;
use crate::page::render;
use crate::shown::{bytes, duration};

/// Maximum number of images whose progress one request asks for.
const MAX_IMAGES: usize = 100;

/// The status of an image.
pub(crate) struct Status {
    pub(crate) id: String,
    /// The class of its mark.
    pub(crate) class: &'static str,
    pub(crate) label: String,
    /// Why it failed; else empty.
    pub(crate) reason: String,
    /// What to do about that; else empty.
    pub(crate) advice: String,
    pub(crate) progress: Option<Progress>,
    /// Whether it replaces the one in the page.
    pub(crate) replaces: bool,
}

pub(crate) struct Progress {
    /// 0 to 100.
    pub(crate) percent: f64,
    pub(crate) detail: String,
}

#[derive(Template)]
#[template(path = "progress.html")]
struct Page {
    statuses: Vec<Status>,
    poll: String,
}

impl Status {
    /// The status of an image, with its progress if it is being made.
    pub(crate) async fn of(caller: &Caller, image: &Image) -> Self {
        let lang = caller.visitor.lang;
        let (class, id) = match image.status {
            ImageStatus::Making => ("making", "status-making"),
            ImageStatus::Available => ("available", "status-available"),
            ImageStatus::UnAvailable => ("failed", "status-failed"),
            ImageStatus::Reviewing => ("reviewing", "status-reviewing"),
            ImageStatus::Offline => ("offline", "status-offline"),
            ImageStatus::Unknown => ("offline", "status-unknown"),
        };
        let status = Self {
            id: image.comp_share_image_id.clone(),
            class,
            label: lang.t(id),
            reason: image.failed_reason.clone(),
            advice: String::new(),
            progress: None,
            replaces: false,
        };
        if image.status != ImageStatus::Making {
            return status;
        }
        // Without its progress, the image is still shown.
        match progress(caller, &image.comp_share_image_id).await {
            Some(answer) => Self::from_progress(lang, &image.comp_share_image_id, &answer),
            None => status,
        }
    }

    fn from_progress(lang: Lang, id: &str, answer: &GetCompShareImageCreateProgressResponse) -> Self {
        let (class, label, progress) = match answer.status.as_str() {
            "Making" => ("making", "status-making", Some(Progress::of(lang, answer))),
            "Available" => ("available", "status-available", None),
            _ => ("failed", "status-failed", None),
        };
        let (id, label, reason) = (id.to_owned(), lang.t(label), answer.failed_reason.clone());
        Self { id, class, label, reason, advice: String::new(), progress, replaces: false }
    }

    /// Adds what the owner of an image can do if it has failed.
    pub(crate) fn advised(self, lang: Lang) -> Self {
        let advice = if self.class == "failed" { lang.t("failed-advice") } else { String::new() };
        Self { advice, ..self }
    }
}

impl Progress {
    fn of(lang: Lang, answer: &GetCompShareImageCreateProgressResponse) -> Self {
        let percent = answer.process.clamp(0.0, 100.0);
        if answer.processed_bytes == 0 {
            return Self { percent, detail: lang.t("progress-waiting") };
        }
        let [total, left]: [u64; 2] =
            [&answer.total_duration, &answer.remaining_duration].map(|secs| secs.parse().unwrap_or(0));
        let elapsed = total.saturating_sub(left).max(1);
        let mut args = FluentArgs::new();
        args.set("percent", format!("{percent:.0}"));
        args.set("speed", bytes(answer.processed_bytes / elapsed));
        args.set("left", duration(lang, left));
        args.set("present", bytes(answer.present_bytes));
        let id = if answer.present_bytes == 0 { "progress-detail" } else { "progress-detail-present" };
        Self { percent, detail: lang.format(id, &args) }
    }
}

async fn progress(caller: &Caller, id: &str) -> Option<GetCompShareImageCreateProgressResponse> {
    let request = GetCompShareImageCreateProgressRequest { image_id: id.into(), ..Default::default() };
    caller.call(&request).await.ok()
}

/// The address that answers the progress of images; empty if none is being made.
pub(crate) fn poll_url<'a>(statuses: impl Iterator<Item = &'a Status>, page: &str) -> String {
    let making: Vec<_> =
        statuses.filter(|status| status.progress.is_some()).map(|status| ("id", &status.id)).collect();
    if making.is_empty() {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(making).append_pair("page", page);
    format!("/console/progress?{}", query.finish())
}

/// Answers the progress of images, in place of what the page shows. A list is loaded again when one is finished; a page
/// with forms is not, because somebody may be writing.
pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let page = query.iter().find(|(name, _)| name == "page").map_or("list", |(_, value)| value);
    let mut statuses = Vec::new();
    for (_, id) in query.iter().filter(|(name, _)| name == "id").take(MAX_IMAGES) {
        if let Some(answer) = progress(&caller, id).await {
            let status = Status::from_progress(caller.visitor.lang, id, &answer);
            let status = if page == "list" { status } else { status.advised(caller.visitor.lang) };
            statuses.push(Status { replaces: true, ..status });
        }
    }
    if page == "list" && statuses.iter().any(|status| status.progress.is_none()) {
        return [("hx-refresh", "true")].into_response();
    }
    let poll = poll_url(statuses.iter(), page);
    render(StatusCode::OK, &Page { statuses, poll })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_speed_time_and_what_was_there() {
        let mut answer = GetCompShareImageCreateProgressResponse {
            process: 40.0,
            processed_bytes: 30 << 20,
            total_duration: "100".to_owned(),
            remaining_duration: "90".to_owned(),
            ..Default::default()
        };
        let detail = |lang, answer: &_| Progress::of(lang, answer).detail;
        assert_eq!(detail(Lang::En, &answer), "40% · 3 MB/s · 1 min 30 s left");
        answer.present_bytes = 5 << 20;
        assert_eq!(detail(Lang::En, &answer), "40% · 3 MB/s · 1 min 30 s left · 5 MB were already stored");
        assert_eq!(detail(Lang::Zh, &answer), "40% · 3 MB/秒 · 剩余 1 分 30 秒 · 已有 5 MB");
        answer.processed_bytes = 0;
        assert_eq!(detail(Lang::Zh, &answer), "等待开始");
    }
}
