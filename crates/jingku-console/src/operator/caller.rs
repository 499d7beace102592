//! The operator as the caller of a page.

use std::pin::Pin;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use jingku_library::{Library, LibraryError};
use jingku_server::SignedIn;

use crate::console::{Browser, Console, Visitor};
use crate::failure::{Failure, error};
use crate::form::Sender;
use crate::page::{AccountFrame, Frame, Notice, render};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
}

/// A browser in which the operator is signed in. To accounts, its pages look like pages that do not exist.
pub(crate) struct Operator {
    pub(crate) console: Arc<Console>,
    who: jingku_server::Operator,
    form_token: String,
    pub(crate) visitor: Visitor,
}

impl FromRequestParts<Arc<Console>> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Response> {
        let Browser { console, who, form_token, visitor, .. } =
            Browser::from_request_parts(parts, console).await?;
        let SignedIn::Operator(who) = who else { return Err(Failure::NotFound.show(&visitor)) };
        match console.context.admit(&who, visitor.peer) {
            Ok(()) => Ok(Self { console, who, form_token, visitor }),
            Err(refusal) => Err(Failure::from(refusal).show(&visitor)),
        }
    }
}

impl Sender for Operator {
    fn form_token(&self) -> &str {
        &self.form_token
    }

    fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

impl Operator {
    pub(crate) fn library(&self) -> &Library {
        &self.console.context.library
    }

    /// Makes a change with an entry in the audit log.
    pub(crate) fn change<T>(&self, change: impl Future<Output = T>) -> Pin<Box<impl Future<Output = T>>> {
        self.who.change(self.visitor.peer, change)
    }

    /// The frame of a page. `here` is the page in the navigation.
    pub(crate) fn frame(&self, title: String, here: &'static str, notice: Option<Notice>) -> Frame {
        let lang = self.visitor.lang;
        let account = AccountFrame {
            name: lang.t("operator-name"),
            id: 0,
            form_token: self.form_token.clone(),
            here,
            is_operator: true,
        };
        Frame { account: Some(account), notice, ..Frame::signed_out(lang, title, &self.visitor.path) }
    }

    /// A page that has only a notice.
    pub(crate) fn failed(&self, code: StatusCode, notice: Notice) -> Response {
        let frame = self.frame(self.visitor.lang.t("failure-title"), "", Some(notice));
        render(code, &FailurePage { frame })
    }

    /// Explains a failure. The text of the library, which is English, has the details.
    pub(crate) fn explain(&self, failure: &LibraryError) -> (StatusCode, Notice) {
        let (code, id) = match failure {
            LibraryError::Catalog(_)
            | LibraryError::MasterKey(_)
            | LibraryError::Inside(_)
            | LibraryError::Start(_)
            | LibraryError::Disk(_) => {
                tracing::error!(error = failure as &dyn std::error::Error, "a page of the operator failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "refusal-fault")
            }
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "operator-refused"),
        };
        (code, Notice { detail: failure.to_string(), ..error(self.visitor.lang.t(id)) })
    }
}
