//! What all pages share: the frame around them, and the headers of their responses.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::assets::VERSION;
use crate::console::Caller;
use crate::lang::Lang;

/// Only files of this server, and no text of a page can run or style anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The frame around a page.
pub(crate) struct Frame {
    pub(crate) lang: Lang,
    /// The title of the page.
    pub(crate) title: String,
    /// Path and query of the page, to return to after another language was chosen.
    pub(crate) back: String,
    /// `None` before sign-in.
    pub(crate) account: Option<AccountFrame>,
    /// Whether a browser without JavaScript loads the page again after some seconds.
    pub(crate) reloads: bool,
    pub(crate) notice: Option<Notice>,
    /// The version of the assets.
    pub(crate) version: &'static str,
}

pub(crate) struct AccountFrame {
    pub(crate) name: String,
    pub(crate) id: i64,
    pub(crate) form_token: String,
    /// The page in the navigation.
    pub(crate) here: &'static str,
    /// Whether it is the operator, who has no account.
    pub(crate) is_operator: bool,
}

/// What happened, above the content of a page.
pub(crate) struct Notice {
    pub(crate) is_error: bool,
    pub(crate) text: String,
    /// Details, such as the answer of the API.
    pub(crate) detail: String,
}

impl Notice {
    pub(crate) fn done(text: String) -> Self {
        Self { is_error: false, text, detail: String::new() }
    }
}

impl Frame {
    pub(crate) fn new(caller: &Caller, title: String, here: &'static str) -> Self {
        let identity = &caller.session.identity;
        let account = AccountFrame {
            name: identity.account_name().to_owned(),
            id: identity.account_id(),
            form_token: caller.session.form_token.clone(),
            here,
            is_operator: false,
        };
        Self { account: Some(account), ..Self::signed_out(caller.visitor.lang, title, &caller.visitor.path) }
    }

    pub(crate) fn signed_out(lang: Lang, title: String, path: &str) -> Self {
        let back = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        Self { lang, title, back, account: None, reloads: false, notice: None, version: VERSION.as_str() }
    }

    /// The hidden field that every form has.
    pub(crate) fn form_token(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.form_token)
    }

    /// The address of the start page.
    pub(crate) fn home(&self) -> &'static str {
        let is_operator = self.account.as_ref().is_some_and(|account| account.is_operator);
        if is_operator { "/console/operator/health" } else { "/console/images" }
    }

    pub(crate) fn account_id(&self) -> String {
        self.account.as_ref().map(|account| account.id.to_string()).unwrap_or_default()
    }

    pub(crate) fn is_here(&self, page: &str) -> bool {
        self.account.as_ref().is_some_and(|account| account.here == page)
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        format!("/console/assets/{name}?{}", self.version)
    }
}

/// The address of the page of an image. Ids from a fixtures file may have any characters.
pub(crate) fn image_url(id: &str) -> String {
    format!("/console/images/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

/// The address of the page of an image that waits for review.
pub(crate) fn review_url(id: &str) -> String {
    format!("/console/operator/review/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

/// Renders a page.
pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        // Templates only write into a String.
        Err(error) => {
            tracing::error!(%error, "cannot render a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Adds the headers of every response.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
