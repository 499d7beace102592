//! The page that imports a file. The browser sends it through an upload link, as every client does; the forms here only
//! start and withdraw the upload.

use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jingku_protocol::actions::{
    DescribeCompShareImageUsageRequest, ImportCompShareCustomImageRequest, MAX_NAME_CHARS,
    TerminateCompShareCustomImageRequest,
};
use jingku_server::Refusal;
use serde_json::json;

use crate::console::Caller;
use crate::failure::{Failure, explain, status};
use crate::form::Form;
use crate::page::{Frame, image_url, render};
use crate::usage::Bar;

/// The limits that an import may reach.
const LIMITS: [&str; 5] = ["Images", "StoredBytes", "UniqueBytes", "Uploads", "UploadBytes"];

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    frame: Frame,
    limits: Vec<Bar>,
    name_chars_max: usize,
}

pub(crate) async fn show(caller: Caller) -> Response {
    let lang = caller.visitor.lang;
    let usage = match caller.call(&DescribeCompShareImageUsageRequest::default()).await {
        Ok(usage) => usage,
        Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
    };
    let limits = usage.limit_set.iter().filter(|limit| LIMITS.contains(&limit.name.as_str()));
    let page = Page {
        frame: Frame::new(&caller, lang.t("import-title"), "import"),
        limits: limits.map(|limit| Bar::of(lang, limit)).collect(),
        name_chars_max: MAX_NAME_CHARS,
    };
    render(StatusCode::OK, &page)
}

/// Starts or resumes an upload. Answers the image, its page, and the path of the upload link.
pub(crate) async fn start(form: Form) -> Response {
    let Form { caller, fields } = form;
    let request = ImportCompShareCustomImageRequest {
        name: fields.get("name").into(),
        description: fields.filled("description").map(Into::into),
        size_bytes: fields.get("size").parse::<i64>().ok().map(Into::into),
        ..Default::default()
    };
    match caller.call(&request).await {
        Ok(started) => {
            // The page has the origin of the server, whatever address the link has.
            let path = started.url.find("/uploads/").map_or("", |at| &started.url[at..]);
            let page = format!("{}?done=imported", image_url(&started.comp_share_image_id));
            Json(json!({ "id": started.comp_share_image_id, "page": page, "path": path })).into_response()
        }
        Err(refusal) => refused(&caller, &refusal),
    }
}

/// Withdraws an upload by deleting its image. One that has ended is withdrawn already.
pub(crate) async fn cancel(form: Form) -> Response {
    let Form { caller, fields } = form;
    let request =
        TerminateCompShareCustomImageRequest { image_id: fields.get("id").into(), ..Default::default() };
    match caller.call(&request).await {
        Err(refusal) if status(&refusal) != StatusCode::NOT_FOUND => refused(&caller, &refusal),
        Ok(_) | Err(_) => Json(json!({})).into_response(),
    }
}

fn refused(caller: &Caller, refusal: &Refusal) -> Response {
    let notice = explain(caller.visitor.lang, refusal);
    (status(refusal), Json(json!({ "Error": notice.text, "Detail": notice.detail }))).into_response()
}
