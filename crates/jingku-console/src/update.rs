//! Changes of an image by a form that shows what it was: nobody overwrites unseen what somebody else has saved.

use axum::http::StatusCode;
use jingku_protocol::Image;
use jingku_protocol::actions::{DescribeCompShareCustomImagesRequest, UpdateCompShareImageRequest};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{error, explain, status};
use crate::form::Fields;
use crate::lang::Lang;
use crate::page::Notice;

/// The field with what the page of the form showed. Without it, a form overwrites what is there.
const SEEN: &str = "seen";

/// Why an image was not changed.
pub(crate) enum Unsaved {
    /// It was changed after the page of the form was shown.
    Changed,
    Refused(Refusal),
}

impl Unsaved {
    pub(crate) fn explain(&self, lang: Lang) -> (Notice, StatusCode) {
        match self {
            Self::Changed => (error(lang.t("update-changed")), StatusCode::CONFLICT),
            Self::Refused(refusal) => (explain(lang, refusal), status(refusal)),
        }
    }
}

/// Changes one of the caller's own images, if the part of it that `digest` covers is still what the form showed.
pub(crate) async fn update(
    caller: &Caller,
    fields: &Fields,
    digest: fn(&Image) -> String,
    request: &UpdateCompShareImageRequest,
) -> Result<(), Unsaved> {
    let _turn = caller.console.turns.take(&request.image_id).await;
    if let Some(seen) = fields.filled(SEEN) {
        let image_id = Some(request.image_id.clone());
        let describe = DescribeCompShareCustomImagesRequest { image_id, ..Default::default() };
        let found = caller.call(&describe).await.map_err(Unsaved::Refused)?.image_set;
        // An image that does not exist is refused by the change itself.
        if found.first().is_some_and(|image| digest(image) != seen) {
            return Err(Unsaved::Changed);
        }
    }
    caller.call(request).await.map_err(Unsaved::Refused)?;
    Ok(())
}

/// Covers name, description and tags.
pub(crate) fn digest_texts(image: &Image) -> String {
    let texts = [&image.name, &image.description].into_iter().chain(&image.tags);
    digest(texts.map(String::as_str))
}

pub(crate) fn digest_readme(image: &Image) -> String {
    digest(image.readme.as_deref().into_iter())
}

/// Another picture has another address.
pub(crate) fn digest_cover(image: &Image) -> String {
    digest([image.cover.as_str()].into_iter())
}

fn digest<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
