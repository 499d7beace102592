//! The page of deleted images: restoring them, and deleting them for good.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use fluent_bundle::FluentArgs;
use jingku_protocol::RetCode;
use jingku_protocol::actions::{
    DescribeCompShareTrashedImagesRequest, DescribeCompShareTrashedImagesResponse, MAX_NAME_CHARS,
    MAX_TRASHED_IDS, Paging, PurgeCompShareTrashedImagesRequest, RestoreCompShareCustomImageRequest,
    TrashedImage,
};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{Failure, error, explain, status};
use crate::form::Form;
use crate::page::{Frame, Notice, render};
use crate::shown::{Time, megabytes};

const TRASH: &str = "/console/trash";

struct Row {
    id: String,
    name: String,
    restorable: bool,
    size: String,
    deleted: Option<Time>,
    expires: Option<Time>,
}

#[derive(Template)]
#[template(path = "trash.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    total: i64,
    keep_days: u16,
    /// An image whose name another one has, which gets a name here.
    renamed: Option<Row>,
    name_chars_max: usize,
    /// The address of the next page; empty on the last one.
    next: String,
    /// The address of the first page; empty there.
    first: String,
}

#[derive(Template)]
#[template(path = "purge.html")]
struct PurgePage {
    frame: Frame,
    /// The images to purge; empty for the whole trash.
    images: Vec<Row>,
    count: i64,
}

impl From<TrashedImage> for Row {
    fn from(image: TrashedImage) -> Self {
        Self {
            id: image.comp_share_image_id,
            name: image.name,
            restorable: image.restorable,
            size: megabytes(image.size),
            deleted: Time::of(image.delete_time),
            expires: Time::of(image.expire_time),
        }
    }
}

pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let lang = caller.visitor.lang;
    let find = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
    let count = |name: &str| find(name).and_then(|count| count.parse::<u32>().ok());
    let notice = match (count("restored"), count("purged"), count("left")) {
        (Some(restored), ..) => Some(lang.with("trash-restored", "count", restored)),
        (_, Some(purged), None | Some(0)) => Some(lang.with("trash-purged", "count", purged)),
        (_, Some(purged), Some(left)) => Some(
            lang.format("trash-purged-some", &FluentArgs::from_iter([("count", purged), ("left", left)])),
        ),
        _ => None,
    };
    let token = find("token").unwrap_or_default();
    page(&caller, token, None, notice.map(Notice::done), StatusCode::OK).await
}

/// `blocked` is an image that cannot be restored under its own name.
async fn page(
    caller: &Caller,
    token: &str,
    blocked: Option<&str>,
    notice: Option<Notice>,
    code: StatusCode,
) -> Response {
    let lang = caller.visitor.lang;
    let paging = Paging {
        next_token: Some(token).filter(|token| !token.is_empty()).map(Into::into),
        ..Paging::default()
    };
    let request = DescribeCompShareTrashedImagesRequest { paging, ..Default::default() };
    let listed = async {
        let page = caller.call(&request).await?;
        let renamed = match blocked {
            Some(id) => named(caller, &[id]).await?.pop(),
            None => None,
        };
        Ok::<_, Refusal>((page, renamed))
    };
    let ((listed, renamed), notice, code) = match listed.await {
        Ok(listed) => (listed, notice, code),
        Err(refusal) if refusal.ret_code == RetCode::UserNotFound => {
            return Failure::from(refusal).show(&caller.visitor);
        }
        Err(refusal) => {
            let nothing = (DescribeCompShareTrashedImagesResponse::default(), None);
            (nothing, Some(explain(lang, &refusal)), status(&refusal))
        }
    };
    let url = |token: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("token", token);
        format!("{TRASH}?{}", query.finish())
    };
    let frame = Frame { notice, ..Frame::new(caller, lang.t("trash-title"), "trash") };
    // A page that answers a form cannot be opened by its address.
    let frame = if code == StatusCode::OK { frame } else { Frame { back: TRASH.to_owned(), ..frame } };
    let page = Page {
        frame,
        rows: listed.image_set.into_iter().map(Row::from).collect(),
        total: listed.total_count,
        keep_days: caller.console.context.library.config.trash.keep_days,
        renamed,
        name_chars_max: MAX_NAME_CHARS,
        next: if listed.next_token.is_empty() { String::new() } else { url(&listed.next_token) },
        first: if token.is_empty() { String::new() } else { TRASH.to_owned() },
    };
    render(code, &page)
}

/// Images of the trash by their ids.
async fn named(caller: &Caller, ids: &[&str]) -> Result<Vec<Row>, Refusal> {
    let paging = Paging { limit: i64::try_from(MAX_TRASHED_IDS).ok().map(Into::into), ..Paging::default() };
    let image_ids = ids.iter().copied().collect();
    let request = DescribeCompShareTrashedImagesRequest { image_ids, paging, ..Default::default() };
    Ok(caller.call(&request).await?.image_set.into_iter().map(Row::from).collect())
}

/// Restores the selected images, all or none.
pub(crate) async fn restore(form: Form) -> Response {
    let Form { caller, fields } = form;
    let ids: Vec<&str> = fields.all("id").filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Redirect::to(TRASH).into_response();
    }
    let request = RestoreCompShareCustomImageRequest {
        image_ids: ids.iter().copied().collect(),
        name: fields.filled("name").map(Into::into),
        ..Default::default()
    };
    let Err(refusal) = caller.call(&request).await else {
        return Redirect::to(&format!("{TRASH}?restored={}", ids.len())).into_response();
    };
    let lang = caller.visitor.lang;
    let (mut blocked, mut notice) = (None, explain(lang, &refusal));
    if refusal.ret_code == RetCode::ParamNotAvailable {
        let text = match ids[..] {
            [id] => {
                blocked = Some(id);
                lang.t(if request.name.is_some() { "refusal-value" } else { "trash-name-taken" })
            }
            _ => lang.t("trash-names-taken"),
        };
        notice = Notice { detail: notice.detail, ..error(text) };
    }
    page(&caller, "", blocked, Some(notice), status(&refusal)).await
}

/// Asks whether the selected images, or all, are to be deleted for good, then deletes them.
pub(crate) async fn purge(form: Form) -> Response {
    let Form { caller, fields } = form;
    let all = fields.filled("all").is_some();
    let ids: Vec<&str> = fields.all("id").filter(|id| !id.is_empty()).collect();
    if ids.is_empty() && !all {
        return Redirect::to(TRASH).into_response();
    }
    let ids = if all { Vec::new() } else { ids };
    if fields.filled("confirmed").is_none() {
        return confirm(&caller, &ids).await;
    }
    let request = PurgeCompShareTrashedImagesRequest {
        image_ids: ids.iter().copied().collect(),
        all: all.then_some(true),
        ..Default::default()
    };
    match caller.call(&request).await {
        Ok(purged) => {
            let left = if all { purged.remaining_count } else { 0 };
            Redirect::to(&format!("{TRASH}?purged={}&left={left}", purged.purged_count)).into_response()
        }
        Err(refusal) => {
            let notice = explain(caller.visitor.lang, &refusal);
            page(&caller, "", None, Some(notice), status(&refusal)).await
        }
    }
}

async fn confirm(caller: &Caller, ids: &[&str]) -> Response {
    let lang = caller.visitor.lang;
    let found = async {
        if !ids.is_empty() {
            let images = named(caller, ids).await?;
            let count = i64::try_from(images.len()).unwrap_or(i64::MAX);
            return Ok::<_, Refusal>((images, count));
        }
        let paging = Paging { limit: Some(1.into()), ..Paging::default() };
        let request = DescribeCompShareTrashedImagesRequest { paging, ..Default::default() };
        Ok((Vec::new(), caller.call(&request).await?.total_count))
    };
    match found.await {
        Ok((_, 0)) if ids.is_empty() => Redirect::to(TRASH).into_response(),
        Ok((_, 0)) => Failure::NotFound.show(&caller.visitor),
        Ok((images, count)) => {
            let frame = Frame::new(caller, lang.t("purge-title"), "trash");
            // The page cannot be opened by its address.
            let frame = Frame { back: TRASH.to_owned(), ..frame };
            render(StatusCode::OK, &PurgePage { frame, images, count })
        }
        Err(refusal) => Failure::from(refusal).show(&caller.visitor),
    }
}
