//! What a browser learns when a page or a change is refused.

use askama::Template;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jingku_protocol::{Class, RetCode};
use jingku_server::Refusal;

use crate::console::{Visitor, to_sign_in};
use crate::lang::Lang;
use crate::page::{Frame, Notice, render};

pub(crate) enum Failure {
    /// It arrived too late, cannot be read, or has no valid token.
    BadForm,
    TooLarge,
    Busy,
    /// More images than this were selected.
    TooMany(usize),
    NotFound,
    Refused(Refusal),
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page {
    frame: Frame,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Failure {
    /// A page of its own.
    pub(crate) fn show(self, visitor: &Visitor) -> Response {
        let lang = visitor.lang;
        let (status, notice) = match self {
            Self::BadForm => (StatusCode::FORBIDDEN, error(lang.t("failure-bad-form"))),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, error(lang.t("failure-too-large"))),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, error(lang.t("refusal-later"))),
            Self::TooMany(max) => {
                (StatusCode::UNPROCESSABLE_ENTITY, error(lang.with("failure-too-many", "max", max)))
            }
            Self::NotFound => (StatusCode::NOT_FOUND, error(lang.t("failure-not-found"))),
            // The key was revoked.
            Self::Refused(refusal) if refusal.ret_code == RetCode::UserNotFound => return to_sign_in(false),
            Self::Refused(refusal) => (status(&refusal), explain(lang, &refusal)),
        };
        let frame = Frame::signed_out(lang, lang.t("failure-title"), "/console");
        render(status, &Page { frame: Frame { notice: Some(notice), ..frame } })
    }
}

/// The HTTP status of a page with a refusal.
pub(crate) fn status(refusal: &Refusal) -> StatusCode {
    match refusal.ret_code.class() {
        Class::FixRequest => StatusCode::UNPROCESSABLE_ENTITY,
        Class::FixCredentials => StatusCode::FORBIDDEN,
        Class::LookAgain if refusal.ret_code == RetCode::ResourceNotFound => StatusCode::NOT_FOUND,
        Class::LookAgain => StatusCode::CONFLICT,
        Class::AskAgainLater => StatusCode::SERVICE_UNAVAILABLE,
        Class::ServiceFault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A refusal in the language of the browser. The API's own message, which is English, has the details.
pub(crate) fn explain(lang: Lang, refusal: &Refusal) -> Notice {
    let id = match refusal.ret_code {
        RetCode::ParamNotAvailable | RetCode::MissingParam => "refusal-value",
        RetCode::AddressDenied => "refusal-address",
        RetCode::PermissionDenied => "refusal-read-only",
        RetCode::ResourceNotFound => "failure-not-found",
        RetCode::ImageNotAvailable => "refusal-not-available",
        RetCode::QuotaExceeded => "refusal-limit",
        RetCode::ReshareRefused => "refusal-reshare",
        RetCode::InstanceMakingImage => "refusal-making",
        RetCode::VersionTaken => "refusal-version",
        RetCode::InstanceState | RetCode::InstanceNotStopped => "refusal-instance-state",
        other => match other.class() {
            Class::AskAgainLater => "refusal-later",
            Class::ServiceFault => "refusal-fault",
            Class::FixRequest | Class::FixCredentials | Class::LookAgain => "refusal-other",
        },
    };
    Notice { detail: refusal.message.clone(), ..error(lang.t(id)) }
}

/// A notice of something that failed.
pub(crate) fn error(text: String) -> Notice {
    Notice { is_error: true, ..Notice::done(text) }
}

/// Adds the page to an empty answer that something was not found.
pub(crate) async fn fill(visitor: Visitor, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_empty = !response.headers().contains_key(header::CONTENT_TYPE);
    if response.status() == StatusCode::NOT_FOUND && is_empty {
        return Failure::NotFound.show(&visitor);
    }
    response
}

pub(crate) async fn not_found(visitor: Visitor) -> Response {
    Failure::NotFound.show(&visitor)
}
