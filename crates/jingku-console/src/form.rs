//! The fields of a form that was sent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use multer::{Multipart, parse_boundary};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::console::{Browser, Caller, Console, Visitor};
use crate::failure::Failure;
use crate::sessions::is_same;

/// Maximum size of a form, in bytes. A description of 1000 Chinese characters takes 9 kB in it.
const MAX_FORM_BYTES: usize = 64 << 10;
/// Maximum size of a form with a file or a readme, in bytes. A cover has 512 KiB at most, a readme 400 kB.
const MAX_LARGE_FORM_BYTES: usize = 1 << 20;
/// How many bytes of a form that is too large are read: a browser that is still sending does not show an answer.
const MAX_DISCARDED_BYTES: usize = 32 << 20;
/// How long a form may take to arrive.
const FORM_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The field with the session's form token.
pub(crate) const TOKEN: &str = "form_token";

/// Fields in the order in which they were sent.
#[derive(Default)]
pub(crate) struct Fields {
    texts: Vec<(String, String)>,
    files: Vec<(String, Bytes)>,
    /// The place among large forms.
    _slot: Option<OwnedSemaphorePermit>,
}

impl Fields {
    pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Self, Failure> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = media_type.and_then(|media_type| parse_boundary(media_type).ok());
        let read = timeout(FORM_READ_TIMEOUT, read_body(request.into_body(), bytes_max));
        let body = read.await.unwrap_or(Err(Failure::BadForm))?;
        if let Some(boundary) = boundary {
            return Self::parse_parts(body, boundary).await.ok_or(Failure::BadForm);
        }
        let texts = form_urlencoded::parse(&body).map(|(name, value)| (name.into(), to_text(&value)));
        Ok(Self { texts: texts.collect(), ..Self::default() })
    }

    async fn parse_parts(body: Vec<u8>, boundary: String) -> Option<Self> {
        let mut fields = Self::default();
        let mut parts = Multipart::new(Body::from(body).into_data_stream(), boundary);
        while let Some(part) = parts.next_field().await.ok()? {
            let name = part.name()?.to_owned();
            let is_file = part.file_name().is_some();
            let value = part.bytes().await.ok()?;
            if is_file {
                fields.files.push((name, value));
            } else {
                fields.texts.push((name, to_text(std::str::from_utf8(&value).ok()?)));
            }
        }
        Some(fields)
    }

    /// A field without surrounding white space; empty without it.
    pub(crate) fn get(&self, name: &str) -> &str {
        let field = self.texts.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value.trim())
    }

    /// A field that is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// A field with its white space, for text whose indentation counts.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let field = self.texts.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }

    /// A file that was chosen. Browsers send an empty one for none.
    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|(known, _)| known == name);
        file.map(|(_, content)| &**content).filter(|content| !content.is_empty())
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.texts.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

/// Browsers send every end of a line as two characters.
fn to_text(value: &str) -> String {
    value.replace("\r\n", "\n")
}

async fn read_body(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Failure::BadForm)?.into_data() else { continue };
        read += data.len();
        if read <= bytes_max {
            kept.extend_from_slice(&data);
        } else if read > MAX_DISCARDED_BYTES {
            break;
        }
    }
    if read <= bytes_max { Ok(kept) } else { Err(Failure::TooLarge) }
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
pub(crate) struct Form<S = Caller, const BYTES_MAX: usize = MAX_FORM_BYTES> {
    pub(crate) caller: S,
    pub(crate) fields: Fields,
}

/// A form with a file or a long text.
pub(crate) type LargeForm = Form<Caller, MAX_LARGE_FORM_BYTES>;

impl<S: Sender + Send, const BYTES_MAX: usize> FromRequest<Arc<Console>> for Form<S, BYTES_MAX> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = S::from_request_parts(&mut parts, console).await?;
        let read = async {
            let slot = if BYTES_MAX > MAX_FORM_BYTES { Some(wait_for_slot(console).await?) } else { None };
            let fields = Fields::read(Request::from_parts(parts, body), BYTES_MAX).await?;
            Ok(Fields { _slot: slot, ..fields })
        };
        let fields = read.await.map_err(|failure: Failure| failure.show(caller.visitor()))?;
        if is_same(fields.get(TOKEN), caller.form_token()) {
            Ok(Self { caller, fields })
        } else {
            Err(Failure::BadForm.show(caller.visitor()))
        }
    }
}

async fn wait_for_slot(console: &Console) -> Result<OwnedSemaphorePermit, Failure> {
    let slot = Arc::clone(&console.large_forms).acquire_owned();
    timeout(FORM_READ_TIMEOUT, slot).await.ok().and_then(Result::ok).ok_or(Failure::Busy)
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
    match Fields::read(Request::from_parts(parts, body), MAX_FORM_BYTES).await {
        Ok(fields) => Ok((visitor, fields)),
        Err(failure) => Err(failure.show(&visitor).into_response()),
    }
}
