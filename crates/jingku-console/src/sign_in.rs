//! Signing in, with a key pair or a link that is good once, and signing out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jingku_library::new_secret;
use jingku_protocol::{Class, RetCode};
use jingku_server::{Refusal, SESSION_SECS_MAX, SignedIn};
use serde_json::json;

use crate::console::{Browser, Console, Visitor};
use crate::cookie;
use crate::failure::{Failure, error, explain, status};
use crate::filters::IMAGES;
use crate::form::{self, Form, TOKEN};
use crate::operator::HEALTH;
use crate::page::{Frame, Notice, render};
use crate::sessions::is_same;

/// The action that a request for a link names. It is none of the API.
const CREATE_LINK: &str = "CreateConsoleLink";
/// How long the form may stay open, in seconds.
const FORM_SECS: i64 = 3600;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    form_token: String,
    /// The secret of a link, if the page was opened by one.
    link: String,
    public_key: String,
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    visitor: Visitor,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let link = query.into_iter().find(|(name, _)| name == "link").map(|(_, value)| value);
    page(&console, &visitor, StatusCode::OK, link.unwrap_or_default(), "", None)
}

fn page(
    console: &Console,
    visitor: &Visitor,
    status: StatusCode,
    link: String,
    public_key: &str,
    notice: Option<Notice>,
) -> Response {
    let lang = visitor.lang;
    // The secret of a link must not be in another URL.
    let frame = Frame { notice, ..Frame::signed_out(lang, lang.t("sign-in-title"), "/console/sign-in") };
    let form_token = new_secret(&*console.context.library.random);
    let cookie = console.cookie(console.form_cookie_name(), &form_token, FORM_SECS);
    let mut response = render(status, &Page { frame, form_token, link, public_key: public_key.to_owned() });
    cookie::set(&mut response, &cookie);
    response
}

pub(crate) async fn sign_in(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Response> {
    let (visitor, fields) = form::read(request).await?;
    let lang = visitor.lang;
    let expected = cookie::read(&headers, console.form_cookie_name()).filter(|token| !token.is_empty());
    if !expected.is_some_and(|token| is_same(token, fields.get(TOKEN))) {
        return Err(Failure::BadForm.show(&visitor));
    }
    if let Some(link) = fields.filled("link") {
        let used = console.context.use_link(link, visitor.peer).await;
        if let Some(who) = used.map_err(|refusal| Failure::from(refusal).show(&visitor))? {
            return Ok(start(&console, &visitor, &headers, &who).await);
        }
        let notice = Some(error(lang.t("sign-in-bad-link")));
        return Ok(page(&console, &visitor, StatusCode::FORBIDDEN, String::new(), "", notice));
    }
    let public_key = fields.get("public_key");
    match console.context.identify(public_key, fields.get("private_key"), visitor.peer).await {
        Ok(identity) => Ok(start(&console, &visitor, &headers, &SignedIn::Holder(identity)).await),
        Err(refusal) => {
            // Which of the two keys is wrong is not said.
            let (status, notice) = match refusal.ret_code.class() {
                Class::FixCredentials => (StatusCode::FORBIDDEN, error(lang.t("sign-in-wrong"))),
                _ if refusal.ret_code == RetCode::Throttled => {
                    (StatusCode::TOO_MANY_REQUESTS, error(lang.t("sign-in-too-many")))
                }
                _ => (status(&refusal), explain(lang, &refusal)),
            };
            Ok(page(&console, &visitor, status, String::new(), public_key, Some(notice)))
        }
    }
}

/// Starts a session with a new secret. A session that the browser had before ends.
async fn start(console: &Console, visitor: &Visitor, headers: &HeaderMap, who: &SignedIn) -> Response {
    let started = async {
        if let Some(before) = cookie::read(headers, console.cookie_name()) {
            console.context.end_session(before).await?;
        }
        console.context.start_session(who, visitor.peer).await
    };
    match started.await {
        Ok(secret) => cookie::redirect(start_page(who), &session_cookie(console, &secret, SESSION_SECS_MAX)),
        Err(refusal) => Failure::from(refusal).show(visitor),
    }
}

fn session_cookie(console: &Console, secret: &str, max_age: i64) -> String {
    console.cookie(console.cookie_name(), secret, max_age)
}

/// Ends the session, or all sessions of its key or of the operator.
pub(crate) async fn sign_out(form: Form<Browser>) -> Response {
    let Form { caller, fields } = form;
    let context = &caller.console.context;
    let ended = match fields.filled("everywhere") {
        Some(_) => context.end_sessions(&caller.who, caller.visitor.peer).await,
        None => context.end_session(&caller.secret).await,
    };
    match ended {
        Ok(()) => cookie::redirect("/console/sign-in", &session_cookie(&caller.console, "", 0)),
        Err(refusal) => Failure::from(refusal).show(&caller.visitor),
    }
}

/// Answers a link for the signer of the request. `jingku console` asks for it.
pub(crate) async fn create_link(State(console): State<Arc<Console>>, request: Request) -> Response {
    let created = async {
        let identity = console.context.identify_signer(CREATE_LINK, request).await?;
        console.context.create_link(&identity).await
    };
    let created: Result<_, Refusal> = created.await;
    axum::Json(match created {
        Ok((secret, expires_at)) => {
            let path = format!("/console/sign-in?link={secret}");
            json!({ "RetCode": 0, "Path": path, "ExpireTime": expires_at })
        }
        Err(refusal) => json!({ "RetCode": refusal.ret_code.code(), "Message": refusal.message }),
    })
    .into_response()
}

fn start_page(who: &SignedIn) -> &'static str {
    match who {
        SignedIn::Holder(_) => IMAGES,
        SignedIn::Operator(_) => HEALTH,
    }
}

/// Leads to the start page.
pub(crate) async fn redirect(browser: Result<Browser, Response>) -> Redirect {
    Redirect::to(browser.map_or(IMAGES, |browser| start_page(&browser.who)))
}
