//! The pages of images that wait for review.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_library::{LibraryError, Review};

use super::caller::Operator;
use super::text::{is_plain, line};
use crate::failure::Failure;
use crate::form::Form;
use crate::lang::Lang;
use crate::page::{Frame, Notice, render, review_url};
use crate::readme;
use crate::shown::{Time, bytes};

const REVIEW: &str = "/console/operator/review";
/// The most images in the list, oldest submission first.
const ROWS_MAX: usize = 100;
/// The longest reason, in characters, as the library has it.
const REASON_CHARS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "operator/reviews.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    /// What is said of images that are not listed; empty if all are.
    more: String,
}

struct Row {
    id: String,
    name: String,
    version: String,
    owner: String,
    price: String,
    submitted: Option<Time>,
}

#[derive(Template)]
#[template(path = "operator/review.html")]
struct Page {
    frame: Frame,
    id: String,
    name: String,
    tags: Vec<String>,
    /// The path of the cover; empty without one.
    cover: String,
    description: String,
    version_desc: String,
    readme: String,
    facts: Vec<(String, String)>,
    submitted: Option<Time>,
    reason: String,
    reason_chars_max: usize,
}

impl Row {
    fn of(lang: Lang, review: Review) -> Self {
        let price = price(lang, &review);
        let image = review.image;
        Self {
            id: image.id,
            name: review.community_name,
            version: image.version_name,
            owner: format!("{} ({})", image.owner_name, image.account.0),
            price,
            submitted: Time::of(review.submitted_at),
        }
    }
}

fn price(lang: Lang, review: &Review) -> String {
    let cents = review.image.price_cents;
    if cents == 0 {
        return lang.t("review-free");
    }
    lang.with("review-price", "price", format!("{}.{:02}", cents / 100, cents % 100))
}

pub(crate) async fn list(operator: Operator, Query(query): Query<Vec<(String, String)>>) -> Response {
    let lang = operator.visitor.lang;
    let done = query.iter().find(|(name, _)| name == "done").map_or("", |(_, value)| value);
    let text = match done {
        "approved" => Some(lang.t("review-approved")),
        "refused" => Some(lang.t("review-refused")),
        _ => None,
    };
    list_page(&operator, text.map(Notice::done), StatusCode::OK).await
}

async fn list_page(operator: &Operator, notice: Option<Notice>, code: StatusCode) -> Response {
    let lang = operator.visitor.lang;
    let (reviews, notice, code) = match operator.library().reviews().await {
        Ok(reviews) => (reviews, notice, code),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            (Vec::new(), Some(notice), code)
        }
    };
    let more = reviews.len().saturating_sub(ROWS_MAX);
    let frame = operator.frame(lang.t("review-title"), "review", notice);
    let page = ListPage {
        frame: Frame { back: REVIEW.to_owned(), ..frame },
        rows: reviews.into_iter().take(ROWS_MAX).map(|review| Row::of(lang, review)).collect(),
        more: if more == 0 { String::new() } else { lang.with("review-more", "count", more) },
    };
    render(code, &page)
}

pub(crate) async fn show(operator: Operator, Path(id): Path<String>) -> Response {
    page(&operator, &id, "", None, StatusCode::OK).await
}

async fn page(
    operator: &Operator,
    id: &str,
    reason: &str,
    notice: Option<Notice>,
    code: StatusCode,
) -> Response {
    let lang = operator.visitor.lang;
    let found = if is_plain(id) { operator.library().review(id).await } else { Ok(None) };
    let review = match found {
        Ok(Some(review)) => review,
        Ok(None) => return Failure::NotFound.show(&operator.visitor),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            return operator.failed(code, notice);
        }
    };
    let facts = facts(lang, &review);
    let Review { image, community_name, submitted_at } = review;
    let frame = operator.frame(community_name.clone(), "review", notice);
    let url = review_url(&image.id);
    let page = Page {
        frame: Frame { back: form_urlencoded::byte_serialize(url.as_bytes()).collect(), ..frame },
        name: community_name,
        tags: image.tags,
        cover: if image.cover.is_empty() { String::new() } else { format!("/covers/{}", image.cover) },
        description: image.description,
        version_desc: image.version_desc,
        readme: if image.readme.is_empty() { String::new() } else { readme::render(&image.readme) },
        facts,
        submitted: Time::of(submitted_at),
        id: image.id,
        reason: reason.to_owned(),
        reason_chars_max: REASON_CHARS_MAX,
    };
    render(code, &page)
}

/// What is known of an image, without what is not.
fn facts(lang: Lang, review: &Review) -> Vec<(String, String)> {
    let image = &review.image;
    let ports = image.firewall_ports.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let facts = [
        ("fact-owner", format!("{} ({})", image.owner_name, image.account.0)),
        (
            "review-own-name",
            if image.name == review.community_name { String::new() } else { image.name.clone() },
        ),
        ("fact-kind", lang.t(if image.container { "kind-container" } else { "kind-disk" })),
        ("fact-size", bytes(u64::try_from(image.size_bytes).unwrap_or(0))),
        ("fact-version", image.version_name.clone()),
        ("review-group", image.group_id.clone()),
        ("column-price", price(lang, review)),
        ("review-gpus", image.supported_gpu_types.join(", ")),
        ("review-ports", ports),
        ("fact-zone", image.zone.clone()),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(id, value)| (lang.t(id), value)).collect()
}

pub(crate) async fn approve(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let operator = form.caller;
    if !is_plain(&id) {
        return Failure::NotFound.show(&operator.visitor);
    }
    let approved = operator.change(operator.library().approve_image(&id)).await;
    after(&operator, &id, "", approved, "approved").await
}

pub(crate) async fn refuse(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    let reason = line(fields.get("reason"));
    if !is_plain(&id) || !is_plain(&reason) {
        return Failure::NotFound.show(&operator.visitor);
    }
    let refused = operator.change(operator.library().refuse_image(&id, &reason)).await;
    after(&operator, &id, &reason, refused, "refused").await
}

/// Leads to the list after a decision, or shows why there was none.
async fn after(
    operator: &Operator,
    id: &str,
    reason: &str,
    decided: Result<(), LibraryError>,
    done: &str,
) -> Response {
    match decided {
        Ok(()) => Redirect::to(&format!("{REVIEW}?done={done}")).into_response(),
        // Another operator may have decided, or the owner has changed the image.
        Err(failure @ LibraryError::NotReviewing(_)) => {
            let (_, notice) = operator.explain(&failure);
            list_page(operator, Some(notice), StatusCode::NOT_FOUND).await
        }
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            page(operator, id, reason, Some(notice), code).await
        }
    }
}
