//! The fields of a form that was sent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::console::{Browser, Caller, Console, Visitor};
use crate::failure::Failure;
use crate::sessions::is_same;

/// Maximum size of a form, in bytes. A description of 1000 Chinese characters takes 9 kB in it.
const MAX_FORM_BYTES: usize = 64 << 10;
/// How long a form may take to arrive.
const FORM_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The field with the session's form token.
pub(crate) const TOKEN: &str = "form_token";

/// Fields in the order in which they were sent.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) async fn read(request: Request) -> Option<Self> {
        let read = to_bytes(request.into_body(), MAX_FORM_BYTES);
        let body = timeout(FORM_READ_TIMEOUT, read).await.ok()?.ok()?;
        Some(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// A field without surrounding white space; empty without it.
    pub(crate) fn get(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value.trim())
    }

    /// A field that is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

/// Who may send a form.
pub(crate) trait Sender: FromRequestParts<Arc<Console>, Rejection = Response> {
    fn form_token(&self) -> &str;
    fn visitor(&self) -> &Visitor;
}

impl Sender for Browser {
    fn form_token(&self) -> &str {
        &self.form_token
    }

    fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

impl Sender for Caller {
    fn form_token(&self) -> &str {
        &self.session.form_token
    }

    fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

/// A form of a signed-in browser. A form without the token of the session is refused: another site may have sent it.
pub(crate) struct Form<S = Caller> {
    pub(crate) caller: S,
    pub(crate) fields: Fields,
}

impl<S: Sender + Send> FromRequest<Arc<Console>> for Form<S> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = S::from_request_parts(&mut parts, console).await?;
        let fields = Fields::read(Request::from_parts(parts, body)).await;
        let fields = fields.ok_or_else(|| Failure::BadForm.show(caller.visitor()))?;
        if is_same(fields.get(TOKEN), caller.form_token()) {
            Ok(Self { caller, fields })
        } else {
            Err(Failure::BadForm.show(caller.visitor()))
        }
    }
}

/// Refuses a form that the page of another site sends. Browsers say so, except over HTTP from another machine, where only
/// the token protects.
pub(crate) async fn refuse_other_sites(visitor: Visitor, request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    if request.method() == Method::POST && site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Failure::BadForm.show(&visitor);
    }
    next.run(request).await
}

/// A form of the sign-in page, where there is no session yet.
pub(crate) async fn read(request: Request) -> Result<(Visitor, Fields), Response> {
    let (mut parts, body) = request.into_parts();
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, &()).await;
    match Fields::read(Request::from_parts(parts, body)).await {
        Some(fields) => Ok((visitor, fields)),
        None => Err(Failure::BadForm.show(&visitor).into_response()),
    }
}
