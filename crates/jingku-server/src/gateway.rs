//! What stands before every action: reading the request, finding out who asks, checking the signature.
//!
//! The order of the checks is that of the real gateway as far as it is known: 160 → 170 → 172 → 174 → 171 → 294 → 161 →
//! 292 → 299, then the action's own. What a key is not good for is told only to who has it: after 171. A list or an
//! object where one of these checks expects text is 230 in its place.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jingku_library::{Internal, request_id};
use jingku_protocol::actions::{Access, Action};
use jingku_protocol::{MAX_BODY_BYTES, ParamError, Params, Tree, decode, excerpt, require_plain, verify};
use secrecy::ExposeSecret;
use tokio::sync::SemaphorePermit;

use crate::actions;
use crate::caller::{Caller, stored_request_name};
use crate::context::Context;
use crate::error::Error;
use crate::lab::Watch;
use crate::limits::BODY_READ_TIMEOUT;
use crate::reply;

/// Answers one API request, whatever its path.
pub(crate) async fn handle(State(context): State<Arc<Context>>, mut request: Request) -> Response {
    let request_id = request_id(&*context.random);
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return reply::method_not_allowed(&request_id);
    }
    let watch: Watch = request.extensions_mut().remove().unwrap_or_default();
    let is_call = may_be_call(&request);
    let mut action = None;
    let error = match answer(&context, request, &request_id, &mut action, &watch).await {
        Ok(response) => return response,
        Err(error) => error,
    };
    if let Error::Internal(inside) = &error {
        let (action, error) = (action.map(Action::name), inside as &dyn std::error::Error);
        tracing::error!(request_id, action, error, "request failed");
    }
    watch.refused(error.ret_code(), error.param());
    let mut response = reply::refusal(action, &error, &request_id);
    if !is_call && matches!(error, Error::MissingAction) {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// Whether a request can be a call at all. A `GET` of some path without parameters comes from a browser or from a health
/// check with a wrong path, which would take 200 for a good sign.
fn may_be_call(request: &Request) -> bool {
    let uri = request.uri();
    request.method() != Method::GET || uri.path() == "/" || uri.query().is_some_and(|query| !query.is_empty())
}

async fn answer(
    context: &Context,
    request: Request,
    request_id: &str,
    named: &mut Option<Action>,
    watch: &Watch,
) -> Result<Response, Error> {
    let peer = peer(&request);
    let Received { params, large } = read(context, request).await?;
    let name = params.scalar("Action");
    let action = name.as_ref().ok().copied().flatten().and_then(Action::from_name);
    *named = action;
    watch.read(&params, action);
    let name = excerpt(name?.filter(|name| !name.is_empty()).ok_or(Error::MissingAction)?);
    let (mut caller, params) = authenticate(context, params, large.is_some()).await?;
    watch.authentic(caller.account().id);
    let limits = &caller.credentials.limits;
    if !limits.allows_address(peer) {
        return Err(Error::AddressDenied);
    }
    let action = action.ok_or_else(|| Error::ActionNotFound(name))?;
    caller.request = stored_request_name(action, &params);
    let tree = Tree::from(params);
    check_project(&caller, &tree)?;
    if limits.read_only && action.access() == Access::Write {
        return Err(Error::PermissionDenied);
    }
    if context.config.strict {
        check_documented(action, &tree)?;
    }
    if let Some(response) = watch.inject_fault(action, request_id).await {
        return Ok(response);
    }
    let reply = actions::run(context, &caller, action, tree).await?;
    watch.succeeded();
    Ok(reply::success(action, reply, request_id))
}

/// Where the connection comes from. No header counts: whoever sends a request can write what he likes into it.
fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// A request that was read.
struct Received<'a> {
    params: Params,
    /// Of a large one: what it takes of the memory for large bodies, until it is answered.
    large: Option<SemaphorePermit<'a>>,
}

async fn read(context: &Context, request: Request) -> Result<Received<'_>, Error> {
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let body = tokio::time::timeout(BODY_READ_TIMEOUT, collect(body, waits));
    let body = body.await.map_err(|_| Error::BodyIncomplete)??;
    // Only now, so that a client that does not send its body keeps nobody waiting.
    let large = context.limits.reserve_body(body.len()).await?;
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    require_plain(text(header::CONTENT_ENCODING), &body)?;
    let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
    let read = move || decode(parts.uri.query(), content_type.as_deref(), &body);
    let params = compute(large.is_some(), read).await??;
    Ok(Received { params, large })
}

/// Reads a body to its end. Bytes are read as they come and counted by the connection: who announces many holds nothing.
///
/// A client that waits to be asked for its body with `Expect: 100-continue` is not asked for one that is too large.
async fn collect(body: Body, waits: bool) -> Result<Bytes, Error> {
    let too_large = body.size_hint().lower() > MAX_BODY_BYTES as u64;
    if too_large && waits {
        return Err(Error::BodyTooLarge);
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(MAX_BODY_BYTES);
    let mut body = Limited::new(body, MAX_BODY_BYTES);
    // Put together as they come: kept one by one, pieces of a byte would cost many times their size.
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { Error::BodyTooLarge } else { Error::BodyIncomplete }
        })?;
        let Ok(piece) = frame.into_data() else { continue };
        if too_large {
            // A client that sends first and reads then would not get an answer that comes too early.
        } else if first.is_empty() {
            first = piece;
        } else {
            if whole.is_empty() {
                // Takes no memory until it is written to.
                whole.reserve(announced);
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&piece);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Does what takes microseconds for most requests. For a large one it takes milliseconds: not on a thread of the
/// runtime.
async fn compute<T: Send + 'static>(
    large: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Internal> {
    if large { Ok(tokio::task::spawn_blocking(work).await?) } else { Ok(work()) }
}

/// Whose request it is; the parameters come back.
async fn authenticate(context: &Context, params: Params, large: bool) -> Result<(Caller, Params), Error> {
    let filled = |name| Ok::<_, ParamError>(params.scalar(name)?.filter(|text| !text.is_empty()));
    // No more of it than an excerpt: a longer one is wrong anyway.
    let signature = excerpt(filled("Signature")?.ok_or(Error::MissingSignature)?);
    let public_key = filled("PublicKey")?.ok_or(Error::UserNotFound)?;
    let generation = context.catalog.generation();
    let credentials = context.credentials(public_key, generation).await?.ok_or(Error::UserNotFound)?;
    if filled("SecurityToken")?.is_some() {
        return Err(Error::TokenNotFound);
    }
    let known = Arc::clone(&credentials);
    let check = move || (verify(&params, known.private_key.expose_secret(), &signature), params);
    match compute(large, check).await? {
        (true, params) => Ok((Caller { credentials, generation, request: None }, params)),
        (false, _) => Err(Error::SignatureMismatch),
    }
}

fn check_project(caller: &Caller, tree: &Tree) -> Result<(), Error> {
    match tree.scalar("ProjectId")? {
        None | Some("") => Ok(()),
        Some(id) if id == caller.account().project_id => Ok(()),
        Some(id) => Err(Error::ProjectNotFound(id.to_owned())),
    }
}

fn check_documented(action: Action, tree: &Tree) -> Result<(), ParamError> {
    for name in action.documented() {
        if tree.scalar(name)?.is_none_or(str::is_empty) {
            return Err(ParamError::Missing((*name).to_owned()));
        }
    }
    Ok(())
}
