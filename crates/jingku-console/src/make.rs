//! The page that makes an image of an instance.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use fluent_bundle::FluentArgs;
use jingku_protocol::actions::{
    CreateCompShareCustomImageRequest, DescribeCompShareInstanceRequest, ImageEstimate, Instance, MAX_LIMIT,
    MAX_NAME_CHARS, Paging, UpdateCompShareImageRequest,
};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{Failure, explain, status};
use crate::form::Form;
use crate::lang::Lang;
use crate::page::{Frame, Notice, image_url, render};
use crate::shown::{bytes, duration};
use crate::tags;

#[derive(Default)]
struct Entered {
    instance: String,
    name: String,
    description: String,
    tags: String,
}

#[derive(Template)]
#[template(path = "make.html")]
struct Page {
    frame: Frame,
    instances: Vec<Choice>,
    entered: Entered,
    name_chars_max: usize,
    estimate: Option<Estimate>,
}

/// An instance to choose.
struct Choice {
    id: String,
    name: String,
    about: String,
}

impl Choice {
    fn of(lang: Lang, instance: Instance) -> Self {
        let kind = if instance.instance_type == "Container" { "kind-container" } else { "kind-disk" };
        let state = match instance.state.as_str() {
            "Running" => lang.t("state-running"),
            "Stopped" => lang.t("state-stopped"),
            "ImageMaking" => lang.t("state-making"),
            _ => instance.state,
        };
        let parts = [lang.t(kind), state, instance.gpu_type, instance.zone];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self { id: instance.id, name: instance.name, about: parts.join(" · ") }
    }
}

struct Estimate {
    text: String,
    fits: bool,
    warnings: Vec<String>,
}

pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let instance = query.into_iter().find(|(name, _)| name == "instance").map(|(_, id)| id);
    let entered = Entered { instance: instance.unwrap_or_default(), ..Entered::default() };
    page(&caller, entered, None, None, StatusCode::OK).await
}

async fn page(
    caller: &Caller,
    entered: Entered,
    estimate: Option<Estimate>,
    notice: Option<Notice>,
    code: StatusCode,
) -> Response {
    let paging = Paging { limit: Some(MAX_LIMIT.into()), ..Paging::default() };
    let instances =
        match caller.call(&DescribeCompShareInstanceRequest { paging, ..Default::default() }).await {
            Ok(page) => page.instances,
            Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
        };
    let lang = caller.visitor.lang;
    let instances = instances.into_iter().map(|instance| Choice::of(lang, instance)).collect();
    let frame = Frame::new(caller, lang.t("make-title"), "make");
    let frame = Frame { notice, back: "/console/make".to_owned(), ..frame };
    render(code, &Page { frame, instances, entered, name_chars_max: MAX_NAME_CHARS, estimate })
}

/// Makes the image, or estimates it.
pub(crate) async fn make(form: Form) -> Response {
    let Form { caller, fields } = form;
    let entered = Entered {
        instance: fields.get("instance").to_owned(),
        name: fields.get("name").to_owned(),
        description: fields.get("description").to_owned(),
        tags: fields.get("tags").to_owned(),
    };
    let estimates = fields.filled("estimate").is_some();
    let lang = caller.visitor.lang;
    match create(&caller, &entered, estimates).await {
        Ok(Created::Image { id, has_tags }) => {
            let done = if has_tags { "made" } else { "made-without-tags" };
            Redirect::to(&format!("{}?done={done}", image_url(&id))).into_response()
        }
        Ok(Created::Estimate(estimate, warnings)) => {
            let mut args = FluentArgs::new();
            args.set("size", bytes(estimate.size_bytes));
            args.set("new", bytes(estimate.new_bytes));
            args.set("time", duration(lang, estimate.seconds));
            let text = lang.format("make-estimate", &args);
            let estimate = Estimate { text, fits: estimate.fits, warnings };
            page(&caller, entered, Some(estimate), None, StatusCode::OK).await
        }
        Err(refusal) => {
            let notice = explain(lang, &refusal);
            page(&caller, entered, None, Some(notice), status(&refusal)).await
        }
    }
}

enum Created {
    Image { id: String, has_tags: bool },
    Estimate(ImageEstimate, Vec<String>),
}

async fn create(caller: &Caller, entered: &Entered, estimates: bool) -> Result<Created, Refusal> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: entered.instance.as_str().into(),
        name: entered.name.as_str().into(),
        description: Some(entered.description.as_str()).filter(|text| !text.is_empty()).map(Into::into),
        estimate: estimates.then_some(true),
        ..Default::default()
    };
    let created = caller.call(&request).await?;
    if let Some(estimate) = created.estimate {
        return Ok(Created::Estimate(estimate, created.warnings));
    }
    let id = created.comp_share_image_id;
    // The action has no tags, and the image exists, whether they are valid or not.
    let has_tags = entered.tags.is_empty() || {
        let tags = Some(tags::read(&entered.tags));
        let request =
            UpdateCompShareImageRequest { image_id: id.as_str().into(), tags, ..Default::default() };
        caller.call(&request).await.is_ok()
    };
    Ok(Created::Image { id, has_tags })
}
