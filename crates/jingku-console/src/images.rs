//! The page of images: the caller's own, those shared with it, the community's and the platform's.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use jingku_protocol::{Image, RetCode};

use crate::console::Caller;
use crate::failure::{Failure, explain, status};
use crate::filters::{Filters, Listed};
use crate::page::{Frame, Notice, image_url, render};
use crate::progress::{Status, poll_url};
use crate::shown::{Time, megabytes};

pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) owner: String,
    pub(crate) size: String,
    pub(crate) created: Option<Time>,
    pub(crate) status: Status,
}

#[derive(Template)]
#[template(path = "images.html")]
struct Page {
    frame: Frame,
    filters: Filters,
    /// The zones to choose from; empty if there is only one.
    zones: Vec<String>,
    rows: Vec<Row>,
    total: i64,
    /// The address of the next page; empty on the last one.
    next: String,
    /// The address of the first page; empty there.
    first: String,
    poll: String,
}

impl Row {
    async fn of(caller: &Caller, image: Image) -> Self {
        let status = Status::of(caller, &image).await;
        let own = image.owner.account_id == caller.session.identity.account_id().to_string();
        Self {
            url: image_url(&image.comp_share_image_id),
            id: image.comp_share_image_id,
            name: image.name,
            description: image.description,
            tags: image.tags,
            owner: if own { String::new() } else { image.owner.account_name },
            size: megabytes(image.size),
            created: Time::of(image.create_time),
            status,
        }
    }
}

pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let notice = done_message(&caller, &query);
    let filters = Filters::read(query);
    let lang = caller.visitor.lang;
    let ((images, total, token), notice, code) = match filters.list(&caller).await {
        Ok(listed) => (listed, notice, StatusCode::OK),
        Err(refusal) if refusal.ret_code == RetCode::UserNotFound => {
            return Failure::from(refusal).show(&caller.visitor);
        }
        Err(refusal) => (Listed::default(), Some(explain(lang, &refusal)), status(&refusal)),
    };
    let mut rows = Vec::with_capacity(images.len());
    for image in images {
        rows.push(Row::of(&caller, image).await);
    }
    let poll = poll_url(rows.iter().map(|row| &row.status), "list");
    let frame = Frame::new(&caller, lang.t("images-title"), "images");
    let zones = caller.console.context.library.zones.iter().map(|zone| zone.zone.clone());
    let page = Page {
        frame: Frame { notice, reloads: !poll.is_empty(), ..frame },
        next: if token.is_empty() { String::new() } else { filters.url(&token) },
        first: if filters.token.is_empty() { String::new() } else { filters.url("") },
        filters,
        zones: zones.collect(),
        rows,
        total,
        poll,
    };
    render(code, &page)
}

/// What was done with several images.
fn done_message(caller: &Caller, query: &[(String, String)]) -> Option<Notice> {
    let messages = [
        ("deleted", "images-deleted"),
        ("tagged", "images-tagged"),
        ("shared", "images-shared"),
        ("unshared", "images-unshared"),
    ];
    query.iter().find_map(|(name, count)| {
        let (_, id) = messages.iter().find(|(done, _)| done == name)?;
        Some(Notice::done(caller.visitor.lang.with(id, "count", count.parse::<u32>().ok()?)))
    })
}
