//! The state of the console, and who asks for a page.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_protocol::actions::Request;
use jingku_server::{Context, Refusal, SignedIn};
use tokio::sync::Semaphore;

use crate::cookie;
use crate::lang::Lang;
use crate::sessions::{self, Session};
use crate::turns::Turns;

/// Maximum number of forms with a file or a readme at once. Each may take some times its size in memory.
const MAX_LARGE_FORMS: usize = 64;

pub(crate) struct Console {
    pub(crate) context: Arc<Context>,
    pub(crate) turns: Turns,
    /// Has a place for each large form.
    pub(crate) large_forms: Arc<Semaphore>,
}

impl Console {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        let large_forms = Arc::new(Semaphore::new(MAX_LARGE_FORMS));
        Self { context, turns: Turns::new(), large_forms }
    }

    /// Whether browsers reach the console over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.context.base_url().starts_with("https://")
    }

    /// The name of the cookie of a session. With TLS, the prefix forbids other hosts and plain HTTP to set it.
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-jingku" } else { "jingku" }
    }

    /// The name of the cookie whose value the form of the sign-in page repeats. It never becomes a session.
    pub(crate) fn form_cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-jingku_form" } else { "jingku_form" }
    }

    /// The value of `Set-Cookie` for a secret.
    pub(crate) fn cookie(&self, name: &str, secret: &str, max_age: i64) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        // The prefix of the names requires this path.
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}")
    }
}

/// The address and the language of a browser, signed in or not.
pub(crate) struct Visitor {
    pub(crate) peer: Option<IpAddr>,
    pub(crate) lang: Lang,
    /// Path and query, to return to.
    pub(crate) path: String,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
        Ok(Self { peer, lang: Lang::of(&parts.headers), path })
    }
}

/// A browser that is signed in, with a key or as the operator. Without a session, the request leads to the sign-in page.
pub(crate) struct Browser {
    pub(crate) console: Arc<Console>,
    pub(crate) who: SignedIn,
    pub(crate) form_token: String,
    pub(crate) visitor: Visitor,
    /// The secret of the session.
    pub(crate) secret: String,
}

impl FromRequestParts<Arc<Console>> for Browser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Response> {
        let Ok(visitor) = Visitor::from_request_parts(parts, console).await;
        let is_part = parts.headers.contains_key("hx-request");
        let secret = cookie::read(&parts.headers, console.cookie_name()).unwrap_or_default();
        if secret.is_empty() {
            return Err(to_sign_in(is_part));
        }
        match sessions::open(&console.context, secret).await {
            Ok(Some((who, form_token))) => {
                let (console, secret) = (Arc::clone(console), secret.to_owned());
                Ok(Self { console, who, form_token, visitor, secret })
            }
            Ok(None) => Err(to_sign_in(is_part)),
            // The catalogue cannot answer, so there is no page.
            Err(_) => Err((StatusCode::SERVICE_UNAVAILABLE, visitor.lang.t("refusal-later")).into_response()),
        }
    }
}

/// A browser that is signed in with a key. To the operator, its pages look like pages that do not exist.
pub(crate) struct Caller {
    pub(crate) console: Arc<Console>,
    pub(crate) session: Session,
    pub(crate) visitor: Visitor,
}

impl FromRequestParts<Arc<Console>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Response> {
        let Browser { console, who, form_token, visitor, .. } =
            Browser::from_request_parts(parts, console).await?;
        match who {
            SignedIn::Holder(identity) => {
                Ok(Self { console, session: Session { identity, form_token }, visitor })
            }
            // `failure::fill` adds the page.
            SignedIn::Operator(_) => Err(StatusCode::NOT_FOUND.into_response()),
        }
    }
}

impl Caller {
    /// Calls an action.
    pub(crate) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, Refusal> {
        self.console.context.call(&self.session.identity, self.visitor.peer, request).await
    }
}

/// htmx requests parts of a page and follows redirects itself, so a header makes it load the new page.
pub(crate) fn to_sign_in(is_part: bool) -> Response {
    const SIGN_IN: &str = "/console/sign-in";
    if is_part { [("hx-redirect", SIGN_IN)].into_response() } else { Redirect::to(SIGN_IN).into_response() }
}
