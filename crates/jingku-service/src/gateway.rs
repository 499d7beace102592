//! What stands before every action: reading the request, finding out who asks, checking the signature.
//!
//! The order of the checks is that of the real gateway as far as it is known: 160 → 170 → 172 → 174 → 171 → 294 → 161 →
//! 292 → 299, then the action's own. What a key is not good for is told only to who has it: after 171.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use bytes::BytesMut;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jingku_catalog::{Account, Generation};
use jingku_protocol::actions::Action;
use jingku_protocol::{MAX_BODY_BYTES, ParamError, Params, RetCode, Tree, decode, verify};
use secrecy::ExposeSecret;

use crate::actions;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::lab::{self, Ending, Watch};
use crate::limits::{BODY_READ_TIMEOUT, SMALL_BODY_BYTES};
use crate::random::request_id;
use crate::reply::{self, Reply};

/// Whose request it is, proven by the signature.
pub(crate) struct Caller {
    credentials: Arc<Credentials>,
    /// Where the catalogue was before anything was read for this request: what is kept in memory and was current then
    /// is current for it.
    pub(crate) generation: Option<Generation>,
}

impl Caller {
    pub(crate) fn account(&self) -> &Account {
        &self.credentials.account
    }
}

/// Answers one API request, whatever its path.
pub(crate) async fn handle(State(context): State<Arc<Context>>, request: Request) -> Response {
    let request_id = request_id(&*context.random);
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return reply::method_not_allowed(&request_id);
    }
    let mut watch = context.lab.as_ref().map(|lab| lab.watch(&request, context.clock.now()));
    let is_call = may_be_call(&request);
    let mut action = None;
    let (mut response, ret_code) = match answer(&context, request, &mut action, watch.as_mut()).await {
        Ok(Answer::Given(action, reply)) => (reply::success(action, reply, &request_id), Some(0)),
        Ok(Answer::Ended(Ending::Fail { ret_code, message })) => {
            (reply::refused(action, ret_code, &message, &request_id), Some(ret_code))
        }
        Ok(Answer::Ended(Ending::Silence)) => (lab::silence(), None),
        Err(error) => {
            if let Error::Internal(inside) = &error {
                let action = action.map(Action::name);
                tracing::error!(
                    request_id,
                    action,
                    error = inside as &dyn std::error::Error,
                    "request failed"
                );
            }
            (reply::refusal(action, &error, &request_id), Some(error.ret_code().code()))
        }
    };
    if !is_call && ret_code == Some(RetCode::MissingAction.code()) {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    match watch {
        None => response,
        Some(watch) => watch.finish(response, ret_code),
    }
}

/// Whether a request can be a call at all. A `GET` of some path without parameters comes from a browser or from a health
/// check with a wrong path, which would take 200 for a good sign.
fn may_be_call(request: &Request) -> bool {
    let uri = request.uri();
    request.method() != Method::GET || uri.path() == "/" || uri.query().is_some_and(|query| !query.is_empty())
}

/// What came of a call that was not refused.
enum Answer {
    /// It was carried out.
    Given(Action, Reply),
    /// A lab ended it before.
    Ended(Ending),
}

async fn answer(
    context: &Context,
    request: Request,
    named: &mut Option<Action>,
    mut watch: Option<&mut Watch<'_>>,
) -> Result<Answer, Error> {
    let peer = peer(&request);
    let params = read(context, request).await?;
    let name = params.get_text("Action").filter(|name| !name.is_empty());
    let action = name.and_then(Action::from_name);
    *named = action;
    if let Some(watch) = &mut watch {
        watch.read(&params, action);
    }
    let name = name.ok_or(Error::MissingAction)?;
    let caller = authenticate(context, &params).await?;
    if let Some(watch) = &mut watch {
        watch.authentic(caller.account().id);
    }
    let limits = &caller.credentials.limits;
    limits.check_address(peer)?;
    let action = action.ok_or_else(|| Error::ActionNotFound(name.to_owned()))?;
    let tree = Tree::from(&params);
    check_project(&caller, &tree)?;
    limits.check_action(action)?;
    if context.strict {
        check_documented(action, &tree)?;
    }
    if let Some(watch) = &mut watch
        && let Some(ending) = watch.meddle(action).await
    {
        return Ok(Answer::Ended(ending));
    }
    Ok(Answer::Given(action, actions::run(context, &caller, action, &tree).await?))
}

/// Where the connection comes from. No header counts: whoever sends a request can write what he likes into it.
fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

async fn read(context: &Context, request: Request) -> Result<Params, Error> {
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let body = tokio::time::timeout(BODY_READ_TIMEOUT, collect(body, waits));
    let body = body.await.map_err(|_| Error::BodyIncomplete)??;
    let is_small = body.len() <= SMALL_BODY_BYTES;
    let decode = move || {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        decode(parts.uri.query(), content_type, &body)
    };
    if is_small {
        return Ok(decode()?);
    }
    // Megabytes of text take too long for a thread of the runtime. Few wait here: all that wait fit into MAX_HELD_BYTES.
    let _permit = context.limits.large_decodes.acquire().await.ok();
    Ok(tokio::task::spawn_blocking(decode).await??)
}

/// Reads a body to its end. Bytes are read as they come and counted by the connection: who announces many holds nothing.
///
/// A client that waits to be asked for its body with `Expect: 100-continue` is not asked for one that is too large.
async fn collect(body: Body, waits: bool) -> Result<Bytes, Error> {
    let too_large = body.size_hint().lower() > MAX_BODY_BYTES as u64;
    if too_large && waits {
        return Err(Error::BodyTooLarge);
    }
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
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&piece);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

async fn authenticate(context: &Context, params: &Params) -> Result<Caller, Error> {
    let filled = |name| params.get_text(name).filter(|text| !text.is_empty());
    let signature = filled("Signature").ok_or(Error::MissingSignature)?;
    let public_key = filled("PublicKey").ok_or(Error::UserNotFound)?;
    let generation = context.catalog.generation();
    let credentials = context.credentials(public_key, generation).await?.ok_or(Error::UserNotFound)?;
    if filled("SecurityToken").is_some() {
        return Err(Error::TokenNotFound);
    }
    if !verify(params, credentials.private_key.expose_secret(), signature) {
        return Err(Error::SignatureMismatch);
    }
    Ok(Caller { credentials, generation })
}

fn check_project(caller: &Caller, tree: &Tree) -> Result<(), Error> {
    match tree.get("ProjectId").and_then(Tree::text) {
        None | Some("") => Ok(()),
        Some(id) if id == caller.account().project_id => Ok(()),
        Some(id) => Err(Error::ProjectNotFound(id.to_owned())),
    }
}

fn check_documented(action: Action, tree: &Tree) -> Result<(), ParamError> {
    let absent = |name: &&&str| tree.get(name).and_then(Tree::text).is_none_or(str::is_empty);
    match action.required_by_documents().iter().find(absent) {
        None => Ok(()),
        Some(name) => Err(ParamError::Missing((*name).to_owned())),
    }
}
