//! The gateway before every action: decodes the request, authenticates the caller, authorizes the action.
//!
//! The checks have the order of the real gateway as far as it is known: 160 → 170 → 172 → 174 → 171 → 294 → 161 → 292 →
//! 299, then those of the action. Restrictions of a key are checked after 171, so that only its holder learns them. A list
//! or an object where a check expects text is 230 in its place.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jingku_catalog::Channel;
use jingku_library::{Internal, request_id};
use jingku_protocol::actions::{self as api, Access, Action, Request as _};
use jingku_protocol::{MAX_BODY_BYTES, ParamError, Params, Tree, decode, excerpt, require_plain, verify};
use secrecy::ExposeSecret;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use crate::actions;
use crate::audit::{Origin, audited, entry};
use crate::call::{Call, stored_request_name};
use crate::context::Context;
use crate::error::Error;
use crate::frames::Frames;
use crate::lab::LabCall;
use crate::limits::BODY_READ_TIMEOUT;
use crate::reply::{self, Reply};
use crate::request_rate::Flood;
use crate::trace_parent::TraceParent;
use crate::transfer::Slot;

/// The target of the span of each request, at the level `debug`. It costs a sixth of the instructions of a list from
/// memory, so it exists only where a log or trace uses it.
pub const REQUEST_SPAN: &str = "request";

/// Answers one API request, whatever its path.
pub(crate) async fn handle(State(context): State<Arc<Context>>, mut request: Request) -> Response {
    let request_id = request_id(&*context.library.random);
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return reply::method_not_allowed(&request_id);
    }
    let lab: LabCall = request.extensions_mut().remove().unwrap_or_default();
    let is_call = may_be_call(&request);
    let (mut action, start) = (None, Instant::now());
    let span = tracing::debug_span!(
        target: REQUEST_SPAN,
        "request",
        request_id,
        action = Empty,
        ret_code = Empty,
        otel.kind = "server"
    );
    if let Some(parent) = request.extensions().get::<TraceParent>() {
        parent.adopt(&span);
    }
    let answered = answer(&context, request, &request_id, &mut action, &lab).instrument(span.clone()).await;
    let ret_code = answered.as_ref().map_or_else(|error| error.ret_code().code(), |_| 0);
    span.record("action", action.map(Action::name)).record("ret_code", ret_code);
    context.metrics.answered(action, ret_code, start.elapsed());
    let error = match answered {
        Ok(response) => return response,
        Err(error) => error,
    };
    span.in_scope(|| error.log(&request_id, action.map(Action::name)));
    lab.answered(error.ret_code().code(), error.param());
    let mut response = reply::refusal(action, &error, &request_id);
    if let Error::Flood(account) = error {
        response.extensions_mut().insert(Flood(account));
    }
    if !is_call && matches!(error, Error::MissingAction) {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// Whether a request can be a call. A `GET` of another path without parameters comes from a browser or a misconfigured
/// health check, which would read 200 as healthy.
fn may_be_call(request: &Request) -> bool {
    let uri = request.uri();
    request.method() != Method::GET || uri.path() == "/" || uri.query().is_some_and(|query| !query.is_empty())
}

async fn answer(
    context: &Context,
    request: Request,
    request_id: &str,
    named: &mut Option<Action>,
    lab: &LabCall,
) -> Result<Response, Error> {
    let peer = peer(&request);
    let counted_for = request.extensions().get::<Flood>().and_then(|flood| flood.0);
    let rates = &context.rates;
    let checked = rates.check_address(peer);
    if let Err(flood) = checked.and_then(|()| rates.check_counted(counted_for, peer)) {
        discard(request).await;
        return Err(flood);
    }
    let (params, large) = read(context, request).await?;
    let name = params.scalar("Action");
    let action = name.as_ref().ok().copied().flatten().and_then(Action::from_name);
    *named = action;
    lab.decoded(&params, action);
    let name = excerpt(name?.filter(|name| !name.is_empty()).ok_or(Error::MissingAction)?);
    let (mut call, params) = authenticate(context, params, large.is_some()).await?;
    lab.authenticated(call.account().id);
    call.is_counted = counted_for == Some(call.account().id);
    let Authorized { action, tree, _slot } = authorize(&mut call, peer, action.ok_or(name), params)?;
    if action.access() == Access::Read {
        return perform(&call, action, tree, request_id, lab).await;
    }
    let entry = entry(&call, Origin { channel: Channel::Api, peer, request_id }, action, &tree);
    // Boxed, so that the futures of reads stay small.
    Box::pin(audited(&call, entry, perform(&call, action, tree, request_id, lab))).await
}

async fn perform(
    call: &Call<'_>,
    action: Action,
    tree: Tree,
    request_id: &str,
    lab: &LabCall,
) -> Result<Response, Error> {
    check_access(call, action)?;
    if call.library.config.strict {
        check_documented(action, &tree)?;
    }
    if let Some(response) = lab.inject_fault(action, request_id).await {
        return Ok(response);
    }
    let reply = run(call, action, tree).await?;
    lab.answered(0, None);
    Ok(success(action, reply, request_id))
}

/// A call that its account may make now.
pub(crate) struct Authorized {
    pub(crate) action: Action,
    pub(crate) tree: Tree,
    /// Held until the call is answered.
    pub(crate) _slot: Slot,
}

/// Makes the checks of an authenticated call, signed or from the web console. `action` may be an unknown name.
pub(crate) fn authorize(
    call: &mut Call<'_>,
    peer: Option<IpAddr>,
    action: Result<Action, String>,
    params: Params,
) -> Result<Authorized, Error> {
    check_key(call, peer)?;
    let slot = call.context.limits.requests.take(call.account().id)?;
    let action = action.map_err(Error::ActionNotFound)?;
    call.request = stored_request_name(action, &params);
    let tree = Tree::from(params);
    check_project(call, &tree)?;
    Ok(Authorized { action, tree, _slot: slot })
}

/// Checks that the key may call the action. A refusal is an entry of the audit log.
pub(crate) fn check_access(call: &Call<'_>, action: Action) -> Result<(), Error> {
    let may_call = !call.credentials.limits.read_only || action.access() == Access::Read;
    if may_call { Ok(()) } else { Err(Error::PermissionDenied) }
}

/// Checks that the key may be used from this address, and counts the request unless it is counted.
pub(crate) fn check_key(call: &Call<'_>, peer: Option<IpAddr>) -> Result<(), Error> {
    if !call.credentials.limits.allows_address(peer) {
        return Err(Error::AddressDenied);
    }
    if call.is_counted { Ok(()) } else { call.context.rates.check_account(call.account().id, peer) }
}

/// Defines `run`, which calls the action's file with the typed request.
macro_rules! dispatch {
    ($($action:ident $file:ident $request:ident $response:ident;)*) => {
        pub(crate) async fn run(call: &Call<'_>, action: Action, tree: Tree) -> Result<Reply, Error> {
            match action {
                $(Action::$action => {
                    let request = api::$request::read(&tree)?;
                    // Freed early: checking a cover takes a while.
                    drop(tree);
                    Ok(actions::$file::run(call, request).await?.into())
                })*
            }
        }
    };
}

jingku_protocol::for_each_action!(dispatch);

fn success(action: Action, reply: Reply, request_id: &str) -> Response {
    match reply {
        Reply::Object(members) => {
            let comma = if members.len() > "{}".len() { "," } else { "" };
            let name = action.name();
            let start =
                format!(r#"{{"Action":"{name}Response","RetCode":0,"request_uuid":"{request_id}"{comma}"#);
            // The members may be a page in memory, which is not copied.
            let json = Frames::new([start.into_bytes().into(), members.slice(1..)]);
            reply::json(request_id, Body::new(json))
        }
        Reply::File { length, etag, body } => {
            let mut response = reply::file(request_id, length, body);
            response.headers_mut().insert(header::ETAG, etag);
            response
        }
    }
}

/// The address of the client. Headers count only if a trusted proxy sends them: clients can forge them.
pub(crate) fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// Reads the body of a refused request. Without this the connection would be closed, and some clients report that instead
/// of the answer.
async fn discard(request: Request) {
    if request.headers().contains_key(header::EXPECT) {
        return;
    }
    let mut body = Limited::new(request.into_body(), MAX_BODY_BYTES);
    let read = async { while let Some(Ok(_)) = body.frame().await {} };
    // The client gets its answer even if it sends slowly.
    let _ = tokio::time::timeout(BODY_READ_TIMEOUT, read).await;
}

/// Decodes a request. The permit reserves memory for a large body until the request is answered.
pub(crate) async fn read(
    context: &Context,
    request: Request,
) -> Result<(Params, Option<SemaphorePermit<'_>>), Error> {
    let (parts, body) = request.into_parts();
    let expects_continue = parts.headers.contains_key(header::EXPECT);
    let body = tokio::time::timeout(BODY_READ_TIMEOUT, collect(body, expects_continue));
    let body = body.await.map_err(|_| Error::BodyIncomplete)??;
    // After the body has arrived, so that a slow client does not block others.
    let large = context.limits.reserve_body(body.len()).await?;
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    require_plain(text(header::CONTENT_ENCODING), &body)?;
    let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
    let read = move || decode(parts.uri.query(), content_type.as_deref(), &body);
    Ok((compute(large.is_some(), read).await??, large))
}

/// Reads a body to its end. The connection counts bytes as they arrive: an announced length reserves nothing.
///
/// A body that is too large is refused without `100 Continue` if the client waits for it.
async fn collect(body: Body, expects_continue: bool) -> Result<Bytes, Error> {
    let too_large = body.size_hint().lower() > MAX_BODY_BYTES as u64;
    if too_large && expects_continue {
        return Err(Error::BodyTooLarge);
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(MAX_BODY_BYTES);
    let mut body = Limited::new(body, MAX_BODY_BYTES);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { Error::BodyTooLarge } else { Error::BodyIncomplete }
        })?;
        // Read to the end: some clients read no response before they have sent everything.
        if let Ok(piece) = frame.into_data()
            && !too_large
        {
            if whole.is_empty() {
                // Uses no physical memory until written.
                whole.reserve(announced);
            }
            // Joined on arrival: kept apart, pieces of one byte would need many times their size.
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole.freeze())
}

/// Runs CPU work: in place for a small request (microseconds), off the runtime's threads for a large one (milliseconds).
async fn compute<T: Send + 'static>(
    large: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Internal> {
    if large { Ok(tokio::task::spawn_blocking(work).await?) } else { Ok(work()) }
}

/// Finds the account and compares the signature. Returns the parameters too.
pub(crate) async fn authenticate(
    context: &Context,
    params: Params,
    large: bool,
) -> Result<(Call<'_>, Params), Error> {
    let filled = |name| Ok::<_, ParamError>(params.scalar(name)?.filter(|text| !text.is_empty()));
    // An excerpt suffices: a longer signature is wrong.
    let signature = excerpt(filled("Signature")?.ok_or(Error::MissingSignature)?);
    let public_key = filled("PublicKey")?.ok_or(Error::UserNotFound)?;
    let generation = context.library.catalog.generation();
    let credentials =
        context.library.credentials(public_key, generation).await?.ok_or(Error::UserNotFound)?;
    if filled("SecurityToken")?.is_some() {
        return Err(Error::TokenNotFound);
    }
    let signer = Arc::clone(&credentials);
    let check = move || (verify(&params, signer.private_key.expose_secret(), &signature), params);
    match compute(large, check).await? {
        (true, params) => {
            let library = &context.library;
            Ok((Call { context, library, credentials, generation, request: None, is_counted: false }, params))
        }
        (false, _) => Err(Error::SignatureMismatch),
    }
}

fn check_project(call: &Call<'_>, tree: &Tree) -> Result<(), Error> {
    match tree.scalar("ProjectId")? {
        None | Some("") => Ok(()),
        Some(id) if id == call.account().project_id => Ok(()),
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
