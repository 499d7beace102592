//! What the page of images does with several of them. Each image is changed by a call of its own, as a client would, so
//! one that cannot be changed does not keep the others from it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_protocol::Image;
use jingku_protocol::RetCode;
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest, MAX_SHARE_ACCOUNTS, MAX_TAGS,
    ModifyCompShareImageShareAccountRequest, TerminateCompShareCustomImageRequest,
    UpdateCompShareImageRequest,
};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{Failure, error, explain, status};
use crate::filters::IMAGES;
use crate::form::{Fields, Form};
use crate::page::{Frame, Notice, image_url, render};
use crate::shares::{accounts, invalid};
use crate::tags;

/// Maximum number of images that a form changes. A page lists 20.
const MAX_SELECTED: usize = 100;

/// What is done with the images.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Delete,
    Tag,
    Share,
}

/// The same, with what was entered.
enum Change {
    Delete,
    Tag { add: Vec<String>, remove: Vec<String> },
    Share { accounts: Vec<i64>, adds: bool },
}

/// Asks what to do with the selected images.
#[derive(Template)]
#[template(path = "selection.html")]
struct Page {
    frame: Frame,
    kind: Kind,
    images: Vec<Image>,
    keep_days: u16,
    accounts: String,
}

/// Says which images were changed, if not all were.
#[derive(Template)]
#[template(path = "outcomes.html")]
struct OutcomesPage {
    frame: Frame,
    outcomes: Vec<Outcome>,
}

struct Outcome {
    id: String,
    /// Empty for an image that does not exist.
    name: String,
    /// Empty for an image that has no page.
    url: String,
    /// `None` if it was changed.
    problem: Option<Problem>,
}

/// Why an image was not changed.
struct Problem {
    notice: Notice,
    code: StatusCode,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Delete => "/console/images/delete",
            Self::Tag => "/console/images/tag",
            Self::Share => "/console/images/share",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Delete => "delete-title",
            Self::Tag => "tag-title",
            Self::Share => "share-title",
        }
    }

    /// Asks in the words of the number of images.
    fn question(self) -> &'static str {
        match self {
            Self::Delete => "delete-question",
            Self::Tag => "tag-question",
            Self::Share => "share-question",
        }
    }
}

impl Change {
    /// What the form asks for, or what is wrong with it.
    fn read(kind: Kind, fields: &Fields) -> Result<Self, &'static str> {
        match kind {
            Kind::Delete => Ok(Self::Delete),
            Kind::Tag => {
                let [add, remove] =
                    ["add", "remove"].map(|name| tags::split(fields.get(name)).map(str::to_owned).collect());
                let change = Self::Tag { add, remove };
                if matches!(&change, Self::Tag { add, remove } if add.is_empty() && remove.is_empty()) {
                    return Err("tag-none");
                }
                Ok(change)
            }
            Kind::Share => match accounts(fields) {
                Some(accounts) if accounts.len() > MAX_SHARE_ACCOUNTS => Err("share-too-many"),
                Some(accounts) if !accounts.is_empty() => {
                    Ok(Self::Share { accounts, adds: fields.get("confirmed") != "unshare" })
                }
                Some(_) | None => Err("share-not-numbers"),
            },
        }
    }

    /// The word for it in the address of the page that follows.
    fn done(&self) -> &'static str {
        match self {
            Self::Delete => "deleted",
            Self::Tag { .. } => "tagged",
            Self::Share { adds: true, .. } => "shared",
            Self::Share { adds: false, .. } => "unshared",
        }
    }
}

pub(crate) async fn delete(form: Form) -> Response {
    run(Kind::Delete, form).await
}

pub(crate) async fn tag(form: Form) -> Response {
    run(Kind::Tag, form).await
}

pub(crate) async fn share(form: Form) -> Response {
    run(Kind::Share, form).await
}

/// Asks what to do with the images, then does it.
async fn run(kind: Kind, form: Form) -> Response {
    let Form { caller, fields } = form;
    let lang = caller.visitor.lang;
    let ids: Vec<&str> = fields.all("id").filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Redirect::to(IMAGES).into_response();
    }
    if ids.len() > MAX_SELECTED {
        return Failure::TooMany(MAX_SELECTED).show(&caller.visitor);
    }
    if fields.filled("confirmed").is_none() {
        return ask(&caller, kind, &ids, &fields, None).await;
    }
    let change = match Change::read(kind, &fields) {
        Ok(change) => change,
        Err(id) => return ask(&caller, kind, &ids, &fields, Some(error(lang.t(id)))).await,
    };
    let mut outcomes = Vec::with_capacity(ids.len());
    for id in &ids {
        match apply(&caller, id, &change).await {
            Ok(outcome) => outcomes.push(outcome),
            // The key was revoked, so nothing else would be answered.
            Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
        }
    }
    let Some(problem) = outcomes.iter().find_map(|outcome| outcome.problem.as_ref()) else {
        return Redirect::to(&format!("{IMAGES}?{}={}", change.done(), ids.len())).into_response();
    };
    let code = problem.code;
    let failed = outcomes.iter().filter(|outcome| outcome.problem.is_some()).count();
    let notice = error(lang.with("outcomes-failed", "count", failed));
    let frame = Frame::new(&caller, lang.t(kind.title()), "images");
    // The page cannot be opened by its address.
    let frame = Frame { back: IMAGES.to_owned(), notice: Some(notice), ..frame };
    render(code, &OutcomesPage { frame, outcomes })
}

async fn ask(caller: &Caller, kind: Kind, ids: &[&str], fields: &Fields, notice: Option<Notice>) -> Response {
    let lang = caller.visitor.lang;
    let mut images = Vec::new();
    for id in ids {
        match find(caller, id).await {
            Ok(image) => images.extend(image),
            Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
        }
    }
    if images.is_empty() {
        return Failure::NotFound.show(&caller.visitor);
    }
    let code = if notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let frame = Frame::new(caller, lang.t(kind.title()), "images");
    // The page cannot be opened by its address.
    let frame = Frame { back: IMAGES.to_owned(), notice, ..frame };
    let keep_days = caller.console.context.library.config.trash.keep_days;
    let accounts = fields.get("accounts").to_owned();
    render(code, &Page { frame, kind, images, keep_days, accounts })
}

/// One of the caller's own images.
async fn find(caller: &Caller, id: &str) -> Result<Option<Image>, Refusal> {
    let request = DescribeCompShareCustomImagesRequest { image_id: Some(id.into()), ..Default::default() };
    Ok(caller.call(&request).await?.image_set.into_iter().next())
}

/// Changes an image. Fails only if the key was revoked.
async fn apply(caller: &Caller, id: &str, change: &Change) -> Result<Outcome, Refusal> {
    // Otherwise, tags that another form sets between finding and changing them would be lost.
    let _turn = caller.console.turns.take(id).await;
    let mut outcome = Outcome { id: id.to_owned(), name: String::new(), url: String::new(), problem: None };
    let changed = match find(caller, id).await {
        Ok(Some(image)) => {
            outcome.url = image_url(id);
            outcome.name.clone_from(&image.name);
            apply_to(caller, &image, change).await
        }
        Ok(None) => {
            let notice = error(caller.visitor.lang.t("failure-not-found"));
            Ok(Some(Problem { notice, code: StatusCode::NOT_FOUND }))
        }
        Err(refusal) => Err(refusal),
    };
    outcome.problem = match changed {
        Ok(problem) => problem,
        Err(refusal) if refusal.ret_code == RetCode::UserNotFound => return Err(refusal),
        Err(refusal) => {
            Some(Problem { notice: explain(caller.visitor.lang, &refusal), code: status(&refusal) })
        }
    };
    if outcome.problem.is_none() && matches!(change, Change::Delete) {
        outcome.url.clear();
    }
    Ok(outcome)
}

async fn apply_to(caller: &Caller, image: &Image, change: &Change) -> Result<Option<Problem>, Refusal> {
    let lang = caller.visitor.lang;
    let image_id = || image.comp_share_image_id.as_str().into();
    match change {
        Change::Delete => {
            let request = TerminateCompShareCustomImageRequest { image_id: image_id(), ..Default::default() };
            caller.call(&request).await?;
        }
        Change::Tag { add, remove } => {
            let tags = change_tags(&image.tags, add, remove);
            if tags.len() > MAX_TAGS {
                let notice = error(lang.with("tag-too-many", "max", MAX_TAGS));
                return Ok(Some(Problem { notice, code: StatusCode::UNPROCESSABLE_ENTITY }));
            }
            if tags != image.tags {
                let tags = Some(tags.into());
                let request =
                    UpdateCompShareImageRequest { image_id: image_id(), tags, ..Default::default() };
                caller.call(&request).await?;
            }
        }
        Change::Share { accounts, adds } => {
            let (add, remove) = if *adds { (&accounts[..], &[][..]) } else { (&[][..], &accounts[..]) };
            let request = ModifyCompShareImageShareAccountRequest {
                image_id: image_id(),
                add_accounts: add.to_vec().into(),
                remove_accounts: remove.to_vec().into(),
                ..Default::default()
            };
            if let Some(notice) = invalid(lang, &caller.call(&request).await?) {
                return Ok(Some(Problem { notice, code: StatusCode::UNPROCESSABLE_ENTITY }));
            }
        }
    }
    Ok(None)
}

/// The tags that stay, and the new ones after them.
fn change_tags(tags: &[String], add: &[String], remove: &[String]) -> Vec<String> {
    let mut changed: Vec<String> = Vec::new();
    for tag in tags.iter().filter(|tag| !remove.contains(tag)).chain(add) {
        if !changed.contains(tag) {
            changed.push(tag.clone());
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_added_once_and_removed() {
        let [tags, add, remove] = [&["a", "b"][..], &["b", "c", "c"], &["a", "x"]]
            .map(|tags| tags.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(change_tags(&tags, &add, &remove), ["b", "c"]);
        assert_eq!(change_tags(&tags, &[], &[]), tags);
        // Removing makes room for what is added.
        assert_eq!(change_tags(&tags, &tags, &tags), tags);
    }
}
