//! What stands before every action: reading the request, finding out who asks, checking the signature.
//!
//! The order of the checks is that of the real gateway as far as it is known: 160 → 170 → 172 → 174 → 171 → 294 → 161 →
//! 292 → 299, then the action's own. What a key is not good for is told only to who has it: after 171.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jingku_catalog::{Account, Generation};
use jingku_protocol::actions::Action;
use jingku_protocol::{MAX_BODY_BYTES, ParamError, Params, Tree, decode, verify};
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
    let mut action = None;
    let (response, ret_code) = match answer(&context, request, &mut action, watch.as_mut()).await {
        Ok(Answer::Given(action, reply)) => (reply::success(action, reply, &request_id), Some(0)),
        Ok(Answer::Ended(Ending::Fail { ret_code, message })) => {
            (reply::refused(action, ret_code, &message, None, &request_id), Some(ret_code))
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
    match watch {
        None => response,
        Some(watch) => watch.finish(response, ret_code),
    }
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
    let small = body.size_hint().upper().is_some_and(|bytes| bytes <= SMALL_BODY_BYTES);
    let _permit = if small { None } else { context.limits.large_bodies.acquire().await.ok() };
    let body = collect(body).await?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(decode(parts.uri.query(), content_type, &body)?)
}

async fn collect(body: Body) -> Result<Bytes, Error> {
    let whole = tokio::time::timeout(BODY_READ_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect());
    match whole.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge),
        Ok(Err(_)) | Err(_) => Err(Error::BodyIncomplete),
    }
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
