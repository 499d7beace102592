//! The page that changes the readme of an image.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest, MAX_README_CHARS, UpdateCompShareImageRequest,
};

use crate::console::Caller;
use crate::failure::Failure;
use crate::form::{Form, LargeForm};
use crate::page::{Frame, Notice, image_url, render};
use crate::readme;
use crate::update::{Unsaved, digest_readme, update};

#[derive(Template)]
#[template(path = "readme.html")]
struct Page {
    frame: Frame,
    url: String,
    name: String,
    text: String,
    /// What the form showed, or now shows, of the image.
    seen: String,
    /// The title of what is below the form, and its HTML; empty without it.
    below: (String, String),
    chars_max: usize,
}

/// What a form asked for that was not saved.
struct Draft {
    text: String,
    /// Empty if the form must show what is there now.
    seen: String,
    /// Why it was not saved; `None` if only a preview was asked for.
    unsaved: Option<Unsaved>,
}

pub(crate) async fn show(caller: Caller, Path(id): Path<String>) -> Response {
    page(&caller, &id, None).await
}

/// Saves the readme, or shows what it will look like.
pub(crate) async fn save(Path(id): Path<String>, form: LargeForm) -> Response {
    let Form { caller, fields } = form;
    let text = fields.raw("readme").trim_start_matches('\n').trim_end().to_owned();
    let seen = fields.get("seen").to_owned();
    if fields.filled("preview").is_some() {
        return page(&caller, &id, Some(Draft { text, seen, unsaved: None })).await;
    }
    let readme = Some(text.as_str().into());
    let request = UpdateCompShareImageRequest { image_id: id.as_str().into(), readme, ..Default::default() };
    match update(&caller, &fields, digest_readme, &request).await {
        Ok(()) => Redirect::to(&format!("{}?done=edited", image_url(&id))).into_response(),
        Err(unsaved) => {
            let seen = if matches!(unsaved, Unsaved::Changed) { String::new() } else { seen };
            page(&caller, &id, Some(Draft { text, seen, unsaved: Some(unsaved) })).await
        }
    }
}

async fn page(caller: &Caller, id: &str, draft: Option<Draft>) -> Response {
    let lang = caller.visitor.lang;
    let request = DescribeCompShareCustomImagesRequest { image_id: Some(id.into()), ..Default::default() };
    let image = match caller.call(&request).await {
        Ok(page) => page.image_set.into_iter().next(),
        Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
    };
    let Some(image) = image else {
        return Failure::NotFound.show(&caller.visitor);
    };
    let now = digest_readme(&image);
    let saved = image.readme.unwrap_or_default();
    let (mut notice, mut code, mut below) = (None::<Notice>, StatusCode::OK, Default::default());
    let (text, seen) = match draft {
        None => (saved, now),
        Some(Draft { text, seen, unsaved }) => {
            if let Some(unsaved) = unsaved {
                let (why, status) = unsaved.explain(lang);
                (notice, code) = (Some(why), status);
                below = (lang.t("readme-saved"), readme::render(&saved));
            } else {
                below = (lang.t("readme-preview"), readme::render(&text));
            }
            (text, if seen.is_empty() { now } else { seen })
        }
    };
    let frame = Frame::new(caller, lang.with("readme-title", "name", image.name.as_str()), "images");
    // A page that answers a form has the same address.
    let frame = Frame { notice, ..frame };
    let (url, name, chars_max) = (image_url(id), image.name, MAX_README_CHARS);
    render(code, &Page { frame, url, name, text, seen, below, chars_max })
}
