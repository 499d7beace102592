//! Changes of texts and cover on the page of an image.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jingku_protocol::RetCode;
use jingku_protocol::actions::UpdateCompShareImageRequest;
use jingku_server::COVER_BYTES_MAX;

use crate::failure::error;
use crate::form::{Fields, Form, LargeForm};
use crate::image::{Beside, Entered, page};
use crate::page::image_url;
use crate::tags;
use crate::update::{Unsaved, digest_cover, digest_texts, update};

pub(crate) async fn edit(Path(id): Path<String>, form: Form) -> Response {
    let Form { caller, fields } = form;
    let entered = Entered::read(&fields);
    let request = UpdateCompShareImageRequest {
        image_id: id.as_str().into(),
        name: Some(entered.name.as_str().into()),
        description: Some(entered.description.as_str().into()),
        tags: Some(tags::read(&entered.tags)),
        ..Default::default()
    };
    match update(&caller, &fields, digest_texts, &request).await {
        Ok(()) => Redirect::to(&format!("{}?done=edited", image_url(&id))).into_response(),
        Err(unsaved) => {
            let (notice, code) = unsaved.explain(caller.visitor.lang);
            page(&caller, &id, Beside::unsaved(notice, entered), code).await
        }
    }
}

/// Sets the picture of an image, or removes it.
pub(crate) async fn cover(Path(id): Path<String>, form: LargeForm) -> Response {
    let Form { caller, fields } = form;
    let lang = caller.visitor.lang;
    let cover = match read_cover(&fields) {
        Ok(cover) => cover,
        Err(message) => {
            let beside = Beside::notice(error(lang.t(message)));
            return page(&caller, &id, beside, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let done = if cover.is_empty() { "uncovered" } else { "covered" };
    let request = UpdateCompShareImageRequest {
        image_id: id.as_str().into(),
        cover: Some(cover.into()),
        ..Default::default()
    };
    match update(&caller, &fields, digest_cover, &request).await {
        Ok(()) => Redirect::to(&format!("{}?done={done}", image_url(&id))).into_response(),
        Err(unsaved) => {
            let (mut notice, code) = unsaved.explain(lang);
            match &unsaved {
                Unsaved::Changed => notice.text = lang.t("cover-changed"),
                Unsaved::Refused(refusal) if refusal.ret_code == RetCode::ParamNotAvailable => {
                    notice.text = lang.t("cover-refused");
                }
                Unsaved::Refused(_) => {}
            }
            page(&caller, &id, Beside::notice(notice), code).await
        }
    }
}

/// The picture of a form, as the API takes it; empty to remove it. Otherwise the message that says what is missing.
fn read_cover(fields: &Fields) -> Result<String, &'static str> {
    if fields.filled("remove").is_some() {
        return Ok(String::new());
    }
    let picture = fields.file("cover").ok_or("cover-none")?;
    if picture.len() > COVER_BYTES_MAX { Err("cover-refused") } else { Ok(STANDARD.encode(picture)) }
}
